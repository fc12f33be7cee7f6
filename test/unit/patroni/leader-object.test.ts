import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { leaderObjectOf } from "../../../src/patroni/leader-object.ts";

const CRUNCHY = { "postgres-operator.crunchydata.com/patroni": "pg" };

const ROWS: readonly [
  name: string,
  flavour: "patroni" | "spilo",
  env: Record<string, string>,
  expected: string | undefined,
  labels?: Record<string, string>,
][] = [
  ["nothing says which DCS", "patroni", { PATRONI_SCOPE: "pg" }, undefined],
  [
    "Kubernetes, ConfigMaps by default",
    "patroni",
    { PATRONI_KUBERNETES_NAMESPACE: "db" },
    "configmaps/pg-leader",
  ],
  ["Kubernetes with Endpoints", "patroni", { PATRONI_KUBERNETES_USE_ENDPOINTS: "true" }, "endpoints/pg"],
  [
    "Endpoints switched off",
    "patroni",
    { PATRONI_KUBERNETES_USE_ENDPOINTS: "false" },
    "configmaps/pg-leader",
  ],
  [
    "Crunchy says Endpoints in a file",
    "patroni",
    { PATRONI_KUBERNETES_NAMESPACE: "db" },
    "endpoints/pg",
    CRUNCHY,
  ],
  [
    "etcd beside Kubernetes' labels",
    "patroni",
    { PATRONI_KUBERNETES_NAMESPACE: "db", PATRONI_ETCD3_HOSTS: "e:2379" },
    undefined,
  ],
  ["Raft", "patroni", { PATRONI_RAFT_SELF_ADDR: "a:1", PATRONI_KUBERNETES_NAMESPACE: "db" }, undefined],
  ["Spilo outside Kubernetes", "spilo", { SCOPE: "pg" }, undefined],
  [
    "Spilo, Endpoints by default",
    "spilo",
    { SCOPE: "pg", DCS_ENABLE_KUBERNETES_API: "true" },
    "endpoints/pg",
  ],
  [
    "Spilo with ConfigMaps",
    "spilo",
    { DCS_ENABLE_KUBERNETES_API: "true", KUBERNETES_USE_CONFIGMAPS: "true" },
    "configmaps/pg-leader",
  ],
  ["Spilo with etcd", "spilo", { DCS_ENABLE_KUBERNETES_API: "true", ETCD_HOST: "etcd:2379" }, undefined],
];

describe("Patroni's leader object", () => {
  for (const [name, flavour, env, expected, labels = {}] of ROWS) {
    test(name, () => {
      const container = { env: Object.entries(env).map(([variable, value]) => ({ name: variable, value })) };
      assert.equal(leaderObjectOf({ metadata: { labels } }, container, flavour, "pg"), expected);
    });
  }
});
