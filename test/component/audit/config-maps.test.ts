import assert from "node:assert/strict";
import { test } from "node:test";
import { type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { member, namespace, object, statefulSet } from "../../unit/audit/world.ts";
import { startConnected } from "../kube/support.ts";
import { audited, keep } from "./world.ts";

const PATH = "/etc/patroni/patroni.yml";
const SPEC: JsonObject = {
  containers: [
    {
      name: "postgres",
      image: "example.test/patroni:4",
      args: [PATH],
      env: [
        { name: "PATRONI_SCOPE", value: "pg" },
        { name: "PATRONI_KUBERNETES_LABELS", value: "{application: patroni}" },
      ],
      volumeMounts: [{ name: "config", mountPath: "/etc/patroni" }],
    },
  ],
  volumes: [{ name: "config", configMap: { name: "patroni" } }],
};

const file = (rule: string): string => `
scope: pg
postgresql:
  pg_hba:
  - ${rule}
  authentication:
    replication: {username: standby, password: secret}
`;

/** What is said of pg_hba, with Patroni's file in a ConfigMap. */
async function saidOf(kubeconfig: string): Promise<unknown[]> {
  const { stdout } = await audited(["-n", "db", "--direct", "--kubeconfig", kubeconfig, "-o", "json"]);
  assert.doesNotMatch(stdout, /secret/);
  const [cluster] = objectsIn(JSON.parse(stdout).clusters);
  const findings = objectsIn(cluster?.findings).filter(({ code }) => code === "pg-hba-replication");
  const unseen = objectsIn(cluster?.unseen).filter(({ codes }) =>
    String(codes).includes("pg-hba-replication"),
  );
  return [...findings.map(({ evidence }) => evidence), ...unseen.map(({ why }) => why)];
}

for (const [what, rule, said] of [
  [
    "without a rule",
    "host all all all md5",
    ["no rule fits standby from 10.244.0.1 (pg-0) (postgresql.pg_hba in patroni.yml of ConfigMap patroni)"],
  ],
  ["with one", "host replication standby 10.244.0.0/16 md5", []],
] as const)
  test(`what an audit keeps of a ConfigMap tells of pg_hba ${what}`, async (t) => {
    const { connection, kubeconfig } = await startConnected(t);
    const config = JSON.stringify({ postgresql: { pg_hba: ["host replication all all reject"] } });
    await keep(connection, [
      namespace("db", { "patroni-injector.io/injection": "enabled" }),
      statefulSet(SPEC),
      ...[0, 1].map((ordinal) => member(ordinal, SPEC)),
      ...[
        object("ConfigMap", "pg-config", {}, { annotations: { config } }),
        object("ConfigMap", "patroni", { data: { "patroni.yml": file(rule), noise: "x".repeat(1000) } }),
      ].map((each) => ({ apiVersion: "v1", ...each })),
    ]);
    assert.deepEqual(await saidOf(kubeconfig), said);
  });
