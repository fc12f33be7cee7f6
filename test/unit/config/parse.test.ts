import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfig } from "../../../src/config/parse.ts";
import { ConfigError } from "../../../src/config/problems.ts";

const DEFAULTS = { clusterDomain: "cluster.test" };
const parse = (text: string) => parseConfig(text, "config.yaml", DEFAULTS);

function problemsOf(text: string): readonly string[] {
  try {
    parse(text);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  return [];
}

describe("a good configuration", () => {
  it("is made of defaults where the file is empty", () => {
    const config = parse("");
    assert.deepEqual(config.selectors, [{ key: "application", values: ["patroni", "spilo"] }]);
    assert.equal(config.webhook.port, 10250);
    assert.equal(config.webhook.failurePolicy, "Ignore");
    assert.equal(config.webhook.registration.name, "00-patroni-injector");
    assert.deepEqual(config.sidecar.resources, {
      requests: { cpu: "50m", memory: "32Mi" },
      limits: { memory: "64Mi" },
      requiredCpuLimit: "100m",
    });
    assert.equal(config.clusterDomain, "cluster.test");
    assert.deepEqual(parse("# nothing yet\n"), config);
    assert.deepEqual(parse("webhook: {}\nsidecar: {resources: {}}\n"), config);
  });

  it("keeps what is set, and the defaults beside it", () => {
    const config = parse(
      "clusterDomain: k8s.example\nsidecar:\n  resources:\n    requests: {memory: 48Mi}\n",
    );
    assert.equal(config.clusterDomain, "k8s.example");
    assert.deepEqual(config.sidecar.resources.requests, { cpu: "50m", memory: "48Mi" });
  });

  it("takes a quantity that YAML reads as a number", () => {
    assert.equal(parse("sidecar: {resources: {limits: {cpu: 1}}}").sidecar.resources.limits.cpu, "1");
  });

  const images = [
    "patroni-injector",
    "patroni-injector:1.2.3",
    "library/patroni-injector:1",
    "localhost:5000/patroni-injector",
    "registry.example.com:5000/a/b__c/d-e:v1.0_x",
    "[fd00::1]:5000/patroni-injector:1",
    `registry.example.com/x@sha256:${"0".repeat(64)}`,
    `registry.example.com/x:1@sha256:${"0".repeat(64)}`,
  ];
  for (const image of images) {
    it(`takes the image ${image}`, () =>
      assert.equal(parse(`sidecar: {image: "${image}"}`).sidecar.image, image));
  }
});

/** One row a case: the file, and everything that is said of it. */
const BAD: readonly (readonly [string, readonly string[]])[] = [
  [
    "webhook:\n  port: abc\n",
    ['config.yaml:2:3: webhook.port: expected an integer from 0 to 65535, got "abc"'],
  ],
  [
    "webhook: {port: 70000}",
    ["config.yaml:1:11: webhook.port: expected an integer from 0 to 65535, got 70000"],
  ],
  ["webhook: {port: 1.5}", ["config.yaml:1:11: webhook.port: expected an integer from 0 to 65535, got 1.5"]],
  ["sidecar: {port: 0}", ["config.yaml:1:11: sidecar.port: expected an integer from 1 to 65535, got 0"]],
  [
    "webhook: {timeoutSeconds: 31}",
    ["config.yaml:1:11: webhook.timeoutSeconds: expected an integer from 1 to 30, got 31"],
  ],
  ["webhook:", ["config.yaml:1:1: webhook: expected a mapping, got nothing"]],
  ["[]", ["config.yaml:1:1: expected a mapping, got a list"]],
  ["just words", ['config.yaml:1:1: expected a mapping, got "just words"']],
  ["webhook:\n  prot: 1\n", ['config.yaml:2:3: webhook.prot: unknown key; did you mean "port"?']],
  ["selektors: []", ['config.yaml:1:1: selektors: unknown key; did you mean "selectors"?']],
  [
    "operations: {colour: red}",
    ["config.yaml:1:14: operations.colour: unknown key; known here are host, port"],
  ],
  [
    "selectors:\n- key: application\n  value: x\n  values: [spilo]\n",
    ['config.yaml:3:3: selectors[0].value: unknown key; did you mean "values"?'],
  ],
  [
    "__proto__: {a: 1}\nlogLevel: loud",
    [
      "config.yaml:1:1: __proto__: unknown key; known here are selectors, presets, poolers, excludedNamespaces, watchNamespaces, onInvalid, clusterDomain, meshes, excludeOutboundIPRanges, openshift, sidecar, webhook, operations, controller, drainSeconds, logLevel",
      'config.yaml:2:1: logLevel: expected debug or info or warn or error, got "loud"',
    ],
  ],
  [
    "selectors: []",
    ["config.yaml:1:1: selectors: expected at least one selector or preset: nothing would ever be injected"],
  ],
  ["presets: [zalando]", ['config.yaml:1:11: presets[0]: expected crunchy or stackgres, got "zalando"']],
  [
    "selectors: [{key: application, values: []}]",
    ["config.yaml:1:32: selectors[0].values: expected at least one value"],
  ],
  [
    "selectors: [{key: 'a b', values: ['c/d']}]",
    [
      'config.yaml:1:14: selectors[0].key: expected a label key such as application or example.com/kind, got "a b"',
      'config.yaml:1:35: selectors[0].values[0]: expected a label value: letters, digits, dashes, dots and underscores, at most 63 characters, got "c/d"',
    ],
  ],
  [
    "excludeOutboundIPRanges: [10.0.0.0, 10.0.0.0/33]",
    [
      'config.yaml:1:27: excludeOutboundIPRanges[0]: expected an address range such as 10.0.0.0/8, got "10.0.0.0"',
      'config.yaml:1:37: excludeOutboundIPRanges[1]: expected an address range such as 10.0.0.0/8, got "10.0.0.0/33"',
    ],
  ],
  [
    "clusterDomain: .cluster.local",
    [
      'config.yaml:1:1: clusterDomain: expected a DNS name such as cluster.local, without a dot at either end, got ".cluster.local"',
    ],
  ],
  [
    "sidecar: {native: maybe}",
    ['config.yaml:1:11: sidecar.native: expected auto or true or false, got "maybe"'],
  ],
  [
    "sidecar: {resources: {limits: {memory: 64MB}}}",
    [
      'config.yaml:1:32: sidecar.resources.limits.memory: expected a Kubernetes quantity such as 50m, 0.1 or 64Mi, got "64MB"',
    ],
  ],
  [
    "sidecar: {resources: {requests: {cpu: 200m, memory: 1Gi}}}",
    [
      'config.yaml:1:34: sidecar.resources.requests.cpu: expected at most the limit (100m), got "200m": the API server refuses such a pod',
      'config.yaml:1:45: sidecar.resources.requests.memory: expected at most the limit (64Mi), got "1Gi": the API server refuses such a pod',
    ],
  ],
  [
    "webhook: {registration: {url: 'http://x'}}",
    [
      'config.yaml:1:26: webhook.registration.url: expected an https:// address without a path, a query, a fragment or a user, got "http://x"',
    ],
  ],
  [
    "a: [1\n",
    [
      "config.yaml:2:1: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
    ],
  ],
  ["logLevel: info\nlogLevel: warn", ["config.yaml:2:1: not valid YAML: Map keys must be unique"]],
  ["logLevel: info\n---\nlogLevel: info", ["config.yaml:2:1: expected one YAML document, got several"]],
  [
    "logLevel: *level",
    ["config.yaml: not valid YAML: Unresolved alias (the anchor must be set before the alias): level"],
  ],
  [
    "onInvalid: 1\ndrainSeconds: -1\nwebhook: {failurePolicy: Maybe}\n",
    [
      "config.yaml:1:1: onInvalid: expected deny or ignore, got 1",
      "config.yaml:2:1: drainSeconds: expected an integer from 0 to 300, got -1",
      'config.yaml:3:11: webhook.failurePolicy: expected Ignore or Fail, got "Maybe"',
    ],
  ],
];

describe("a bad configuration", () => {
  for (const [text, problems] of BAD) {
    it(JSON.stringify(text), () => assert.deepEqual(problemsOf(text), problems));
  }

  const images = [
    "",
    "Patroni",
    "a:b:c",
    "a@sha256:12",
    "a//b",
    "https://example.com/a",
    "a:",
    "-a",
    "a".repeat(600),
  ];
  for (const image of images) {
    it(`refuses the image ${JSON.stringify(image.slice(0, 40))}`, () =>
      assert.match(
        problemsOf(`sidecar: {image: "${image}"}`).join(),
        /sidecar\.image: expected an image reference/,
      ));
  }

  it("says an alias bomb is not valid, in bounded time", () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) =>
        `l${i}: &l${i} [${Array(10)
          .fill(i === 0 ? "x" : `*l${i - 1}`)
          .join(", ")}]`,
    );
    assert.match(problemsOf(levels.join("\n")).join(), /not valid YAML: Excessive alias count/);
  });
});
