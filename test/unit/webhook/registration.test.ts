import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { stringify } from "yaml";
import { parseConfig } from "../../../src/config/parse.ts";
import { WEBHOOK_CONFIGURATION } from "../../../src/contract/names.ts";
import { asObject, at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { desiredWebhookConfiguration } from "../../../src/webhook/registration.ts";
import { servingNames } from "../../../src/webhook/serving-names.ts";

const parse = (text: string) => parseConfig(text, "config.yaml", { clusterDomain: "cluster.local" });
const FACTS = { ownNamespace: "injector", caPem: "PEM", port: 1234 };
const desired = (text: string) => desiredWebhookConfiguration(parse(text), FACTS);
const entries = (configuration: JsonObject) => objectsIn(configuration.webhooks);

describe("the webhook configuration", () => {
  it("is, by default, one entry that changes pods and one that only says, for Patroni's pods and for poolers", () => {
    const common = {
      admissionReviewVersions: ["v1"],
      rules: [
        {
          apiGroups: [""],
          apiVersions: ["v1"],
          resources: ["pods"],
          operations: ["CREATE"],
          scope: "Namespaced",
        },
      ],
      matchPolicy: "Equivalent",
      matchConditions: [
        {
          name: "not-a-mirror-pod",
          expression:
            "!has(object.metadata.annotations) || !('kubernetes.io/config.mirror' in object.metadata.annotations)",
        },
      ],
      failurePolicy: "Ignore",
      reinvocationPolicy: "IfNeeded",
      sideEffects: "None",
      timeoutSeconds: 5,
    };
    const service = { name: "patroni-injector", namespace: "injector", port: 443 };
    const selecting = (mode: string) => ({
      matchExpressions: [
        { key: "patroni-injector.io/injection", operator: "In", values: [mode] },
        { key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-system", "injector"] },
      ],
    });
    const entriesFor = (place: string, requirement: JsonObject) =>
      [
        { mode: "enabled", path: "mutate" },
        { mode: "audit", path: "audit" },
      ].map(({ mode, path }) => ({
        ...common,
        objectSelector: { matchExpressions: [requirement] },
        name: `${place}.${path}.patroni-injector.io`,
        clientConfig: { service: { ...service, path: `/${path}` }, caBundle: "UEVN" },
        namespaceSelector: selecting(mode),
      }));
    assert.deepEqual(desired(""), {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "MutatingWebhookConfiguration",
      metadata: {
        name: WEBHOOK_CONFIGURATION,
        labels: {
          "app.kubernetes.io/name": "patroni-injector",
          "app.kubernetes.io/managed-by": "patroni-injector",
        },
      },
      webhooks: [
        ...entriesFor("0", { key: "application", operator: "In", values: ["patroni", "spilo"] }),
        ...entriesFor("poolers-0", { key: "patroni-injector.io/pooler-of", operator: "Exists" }),
      ],
    });
  });

  it("is called before Istio's", () => {
    assert.ok(Buffer.compare(Buffer.from(WEBHOOK_CONFIGURATION), Buffer.from("istio-")) < 0);
  });

  it("lets an audit never hold a pod back", () => {
    const policies = entries(desired("webhook: {failurePolicy: Fail}")).map((entry) => entry.failurePolicy);
    assert.deepEqual(policies, ["Fail", "Ignore", "Fail", "Ignore"]);
  });

  it("points at a URL where one is set, with the port that was taken for port 0", () => {
    const urls = (url: string) =>
      entries(desired(`poolers: {selectors: []}\nwebhook: {registration: {url: "${url}"}}`)).map((entry) =>
        at(entry, "clientConfig", "url"),
      );
    assert.deepEqual(urls("https://127.0.0.1:0"), [
      "https://127.0.0.1:1234/mutate",
      "https://127.0.0.1:1234/audit",
    ]);
    assert.deepEqual(urls("https://[fd00::1]:8443"), [
      "https://[fd00::1]:8443/mutate",
      "https://[fd00::1]:8443/audit",
    ]);
    assert.deepEqual(urls("https://hook.example"), [
      "https://hook.example/mutate",
      "https://hook.example/audit",
    ]);
  });

  it("cannot be made for a Service in a namespace that nobody knows", () => {
    assert.throws(
      () => desiredWebhookConfiguration(parse(""), { ...FACTS, ownNamespace: undefined }),
      /webhook\.registration\.service\.namespace: must be set/,
    );
  });

  const word = fc.stringMatching(/^[a-z][a-z0-9]{0,10}$/);
  const selector = (minLength: number) =>
    fc.record(
      {
        key: fc.oneof(
          word,
          fc.tuple(word, word).map(([prefix, name]) => `${prefix}.example.com/${name}`),
        ),
        values: fc.array(word, { minLength, maxLength: 4 }),
      },
      { noNullPrototype: true },
    );
  const selectors = fc.array(selector(1), { minLength: 1, maxLength: 6 });
  const poolers = fc.array(selector(0), { maxLength: 4 });
  const namesFor = (prefix: string, configured: readonly object[]) =>
    configured.flatMap((_, index) =>
      ["mutate", "audit"].map((path) => `${prefix}${index}.${path}.patroni-injector.io`),
    );

  it("carries every selector as it was configured, once for each mode, under names of their own", () => {
    fc.assert(
      fc.property(selectors, poolers, (patroni, poolers) => {
        const configured = [...patroni, ...poolers];
        const webhooks = entries(desired(stringify({ selectors: patroni, poolers: { selectors: poolers } })));
        const names = webhooks.map(({ name }) => String(name));
        assert.equal(new Set(names).size, 2 * configured.length);
        assert.deepEqual(names, [...namesFor("", patroni), ...namesFor("poolers-", poolers)]);
        // What the API server asks of a name: a DNS subdomain of at least three labels.
        for (const name of names)
          assert.match(name, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?){2,}$/);
        for (const path of ["/mutate", "/audit"]) {
          const ofMode = webhooks.filter((entry) => at(entry, "clientConfig", "service", "path") === path);
          const selected = ofMode.map((entry) => {
            const [only, ...more] = objectsIn(at(entry, "objectSelector", "matchExpressions"));
            assert.deepEqual(more, []);
            assert.equal(only?.operator, only?.values === undefined ? "Exists" : "In");
            return { key: only?.key, values: only?.values ?? [] };
          });
          assert.deepEqual(selected, configured);
        }
      }),
    );
  });
});

describe("the names in the certificate", () => {
  const ROWS: readonly (readonly [string, string | undefined, object])[] = [
    [
      "",
      "injector",
      {
        dnsNames: ["patroni-injector.injector.svc", "patroni-injector.injector", "patroni-injector"],
        ipAddresses: [],
      },
    ],
    [
      "webhook: {registration: {service: {name: hook, namespace: other}}}",
      "injector",
      { dnsNames: ["hook.other.svc", "hook.other", "hook"], ipAddresses: [] },
    ],
    ["", undefined, { dnsNames: ["patroni-injector"], ipAddresses: [] }],
    [
      "webhook: {registration: {url: 'https://127.0.0.1:0'}}",
      undefined,
      { dnsNames: [], ipAddresses: ["127.0.0.1"] },
    ],
    [
      "webhook: {registration: {url: 'https://[FD00::1]'}}",
      "injector",
      { dnsNames: [], ipAddresses: ["fd00::1"] },
    ],
    [
      "webhook: {registration: {url: 'https://hook.example:99'}}",
      "injector",
      { dnsNames: ["hook.example"], ipAddresses: [] },
    ],
  ];
  for (const [text, ownNamespace, names] of ROWS) {
    it(`${text || "by default"} in ${ownNamespace ?? "no namespace"}`, () =>
      assert.deepEqual(servingNames(parse(text), { ownNamespace }), names));
  }

  it("hold the name that the API server asks for", () => {
    const [entry] = entries(desired(""));
    const service = asObject(at(entry, "clientConfig", "service"));
    assert.ok(servingNames(parse(""), FACTS).dnsNames.includes(`${service?.name}.${service?.namespace}.svc`));
  });
});
