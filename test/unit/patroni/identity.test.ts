import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonObject } from "../../../src/json/value.ts";
import { patroniPortOf, postgresPortOf, scopeOf } from "../../../src/patroni/identity.ts";

type Env = Readonly<Record<string, string | JsonObject>>;

const containerWith = (env: Env): JsonObject => ({
  name: "db",
  env: Object.entries(env).map(([name, value]) =>
    typeof value === "string" ? { name, value } : { name, ...value },
  ),
});
const podWith = (labels: Readonly<Record<string, string>>): JsonObject => ({ metadata: { labels } });
const fromLabel = (label: string): JsonObject => ({
  valueFrom: { fieldRef: { fieldPath: `metadata.labels['${label}']` } },
});

describe("scope", () => {
  const rows: readonly [
    name: string,
    labels: Readonly<Record<string, string>>,
    env: Env,
    scope: string | undefined,
  ][] = [
    ["nowhere", {}, {}, undefined],
    ["PATRONI_SCOPE", { "cluster-name": "label" }, { PATRONI_SCOPE: "env" }, "env"],
    ["SCOPE", {}, { SCOPE: "env" }, "env"],
    ["PATRONI_SCOPE before SCOPE", {}, { SCOPE: "two", PATRONI_SCOPE: "one" }, "one"],
    [
      "from a label, as Patroni's example has it",
      { "cluster-name": "pg" },
      { PATRONI_SCOPE: fromLabel("cluster-name") },
      "pg",
    ],
    ["an empty one does not count", { "cluster-name": "pg" }, { PATRONI_SCOPE: "" }, "pg"],
    [
      "a Secret's value is not known",
      { "cluster-name": "pg" },
      { PATRONI_SCOPE: { valueFrom: { secretKeyRef: {} } } },
      "pg",
    ],
    ["Patroni's and Zalando's label", { "cluster-name": "pg", version: "x" }, {}, "pg"],
    ["Crunchy's label", { "postgres-operator.crunchydata.com/patroni": "hippo-ha" }, {}, "hippo-ha"],
    [
      "StackGres's scope before its cluster",
      { "stackgres.io/cluster-name": "sg", "stackgres.io/cluster-scope": "sg-scope" },
      {},
      "sg-scope",
    ],
    ["StackGres's cluster", { "stackgres.io/cluster-name": "sg" }, {}, "sg"],
    ["Spilo's own default label", { version: "acid" }, {}, "acid"],
    [
      "a label that the environment names",
      { "cluster-name": "no", team: "yes" },
      { KUBERNETES_SCOPE_LABEL: "team" },
      "yes",
    ],
    [
      "the same for plain Patroni",
      { "cluster-name": "no", team: "yes" },
      { PATRONI_KUBERNETES_SCOPE_LABEL: "team" },
      "yes",
    ],
    ["a label named, but not there", { "cluster-name": "pg" }, { KUBERNETES_SCOPE_LABEL: "team" }, "pg"],
    ["a named label is never a prototype's", {}, { KUBERNETES_SCOPE_LABEL: "constructor" }, undefined],
    ["an empty label does not count", { "cluster-name": "", version: "v" }, {}, "v"],
  ];
  for (const [name, labels, env, scope] of rows) {
    test(name, () => assert.equal(scopeOf(podWith(labels), containerWith(env)), scope));
  }
});

describe("ports", () => {
  const rows: readonly [env: Env, postgres: number, patroni: number][] = [
    [{}, 5432, 8008],
    [{ PATRONI_POSTGRESQL_LISTEN: "0.0.0.0:5433", PATRONI_RESTAPI_LISTEN: "0.0.0.0:8009" }, 5433, 8009],
    [{ PATRONI_POSTGRESQL_LISTEN: "[::]:5433", PATRONI_RESTAPI_LISTEN: "[::]:8009" }, 5433, 8009],
    [{ PATRONI_POSTGRESQL_LISTEN: "127.0.0.1,10.0.0.1:5433" }, 5433, 8008],
    [{ PATRONI_POSTGRESQL_LISTEN: "*:5433" }, 5433, 8008],
    [{ PATRONI_POSTGRESQL_LISTEN: "5433" }, 5433, 8008],
    [{ PATRONI_POSTGRESQL_LISTEN: "0.0.0.0:$(PORT)" }, 5432, 8008],
    [{ PATRONI_POSTGRESQL_LISTEN: "0.0.0.0" }, 5432, 8008],
    [{ PATRONI_POSTGRESQL_LISTEN: "0.0.0.0:99999" }, 5432, 8008],
    [{ PGPORT: "5433", APIPORT: "8009" }, 5433, 8009],
    [{ PGPORT: "", APIPORT: "none" }, 5432, 8008],
    [{ PGPORT: "1", PATRONI_POSTGRESQL_LISTEN: "a:2", APIPORT: "3", PATRONI_RESTAPI_LISTEN: "a:4" }, 2, 4],
    [{ PGPORT: "1", PATRONI_POSTGRESQL_LISTEN: "nonsense" }, 1, 8008],
    [{ PGPORT: fromLabel("port") }, 7000, 8008],
  ];
  for (const [env, postgres, patroni] of rows) {
    test(JSON.stringify(env), () => {
      const pod = podWith({ port: "7000" });
      assert.equal(postgresPortOf(pod, containerWith(env)), postgres);
      assert.equal(patroniPortOf(pod, containerWith(env)), patroni);
    });
  }
});
