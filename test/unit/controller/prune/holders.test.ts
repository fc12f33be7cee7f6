import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clusterLabelValue } from "../../../../src/contract/cluster-names.ts";
import { podHolder, workloadHolder } from "../../../../src/controller/prune/holders.ts";
import type { JsonObject } from "../../../../src/json/value.ts";

const HELD = { cluster: "pg", headless: new Set(["pg-headless"]) };

const patroni = (scope: string): JsonObject => ({
  name: "postgres",
  image: "registry.example/patroni",
  env: [{ name: "PATRONI_SCOPE", value: scope }],
});
const sidecar = (scope: string): JsonObject => ({
  name: "patroni-injector",
  image: "registry.example/patroni-injector",
  env: [{ name: "PATRONI_INJECTOR_CLUSTER", value: scope }],
});
const pod = (spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({
  metadata: { name: "pg-0", uid: "uid-0", ...metadata },
  spec,
});

const ROWS: readonly [what: string, JsonObject, attached: boolean | undefined][] = [
  ["with our label", pod({}, { labels: { "patroni-injector.io/cluster": "pg" } }), true],
  ["with our sidecar as its init container", pod({ initContainers: [sidecar("pg")] }), true],
  ["with our sidecar as its container", pod({ containers: [sidecar("pg")] }), true],
  ["with a name in our headless Service", pod({ subdomain: "pg-headless" }), true],
  [
    "that runs Patroni of the scope, without a label that any selector asks for",
    pod({ containers: [patroni("pg")] }),
    false,
  ],
  [
    "whose annotation names the scope, and which has opted out",
    pod(
      { containers: [patroni("x")] },
      { annotations: { "patroni-injector.io/cluster": "pg", "patroni-injector.io/inject": "false" } },
    ),
    false,
  ],
  [
    "of an operator, by its scope label",
    pod({ containers: [] }, { labels: { "cluster-name": "pg" } }),
    false,
  ],
  [
    "of another cluster, with our sidecar",
    pod({ initContainers: [sidecar("other")], containers: [patroni("other")] }),
    undefined,
  ],
  ["of something else", pod({ containers: [{ name: "shop", image: "shop" }] }), undefined],
];

describe("a pod", () => {
  for (const [what, given, attached] of ROWS) {
    const says = attached === undefined ? "holds nothing" : attached ? "is attached" : "may come to need it";
    it(`${what}: ${says}`, () => assert.equal(podHolder(given, HELD)?.attached, attached));
  }

  it("says its ServiceAccount", () => {
    const labels = { "patroni-injector.io/cluster": "pg" };
    assert.equal(podHolder(pod({}, { labels }), HELD)?.serviceAccount, "default");
    assert.equal(podHolder(pod({ serviceAccountName: "db" }, { labels }), HELD)?.serviceAccount, "db");
  });
});

it("a scope that is no label is found by the value that stands for it", () => {
  const held = { cluster: clusterLabelValue("My Cluster"), headless: new Set<string>() };
  assert.equal(podHolder(pod({ containers: [patroni("My Cluster")] }), held)?.attached, false);
  assert.equal(podHolder(pod({ initContainers: [sidecar("My Cluster")] }), held)?.attached, true);
  assert.equal(podHolder(pod({ containers: [patroni("pg")] }), held), undefined);
});

it("a pooler's sidecar makes it a holder of another kind, and its label of an operator does not", () => {
  const told = [
    { name: "PATRONI_INJECTOR_ROLE", value: "pooler" },
    { name: "PATRONI_INJECTOR_CLUSTER", value: "pg" },
  ];
  const labels = { "cluster-name": "pg" };
  const pooler = pod({ initContainers: [{ ...sidecar("pg"), env: told }] }, { labels });
  assert.equal(podHolder(pooler, HELD)?.pooler, true);
  assert.equal(podHolder(pod({ containers: [] }, { labels }), HELD)?.pooler, false);
});

it("a workload holds, even where it has no replica now", () => {
  const set = {
    metadata: { name: "pg", uid: "set" },
    spec: { replicas: 0, template: pod({ containers: [patroni("pg")], serviceAccountName: "db" }) },
  };
  assert.deepEqual(workloadHolder(set, HELD), {
    uid: "set",
    name: "pg",
    serviceAccount: "db",
    pooler: false,
    attached: false,
    optedOut: false,
  });
});
