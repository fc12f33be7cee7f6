import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { leaving } from "../../../src/cleanup/leave.ts";
import type { JsonObject } from "../../../src/json/value.ts";

const READY = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
const patroni = (env: JsonObject = {}): JsonObject => ({
  name: "postgres",
  image: "registry.example/patroni",
  env: Object.entries({ PATRONI_SCOPE: "pg", ...env }).map(([name, value]) => ({ name, value: value ?? "" })),
});
const pod = (
  name: string,
  labels: JsonObject,
  container = patroni(),
  status: JsonObject = READY,
): JsonObject => ({
  metadata: { name, uid: `uid of ${name}`, labels },
  spec: { containers: [container] },
  status,
});
const slice = (...names: string[]): JsonObject => ({
  endpoints: names.map((name) => ({ addresses: ["10.0.0.1"], targetRef: { uid: `uid of ${name}` } })),
});
const plain = (role: string): JsonObject => ({ application: "patroni", "cluster-name": "pg", role });
const replicas = [pod("pg-1", plain("replica")), pod("pg-2", plain("replica"))];

const SELECTED: readonly [what: string, pods: JsonObject[], selector: JsonObject][] = [
  [
    "Patroni from 4.0",
    [pod("pg-0", plain("primary")), ...replicas],
    { "cluster-name": "pg", role: "primary" },
  ],
  [
    "Patroni up to 3.x",
    [pod("pg-0", plain("master")), ...replicas],
    { "cluster-name": "pg", role: "master" },
  ],
  [
    "Spilo",
    [
      pod("pg-0", { application: "spilo", "cluster-name": "pg", "spilo-role": "master" }),
      pod("pg-1", { application: "spilo", "cluster-name": "pg", "spilo-role": "replica" }),
    ],
    { "cluster-name": "pg", "spilo-role": "master" },
  ],
  [
    "Crunchy",
    [
      pod("pg-0", {
        "postgres-operator.crunchydata.com/patroni": "pg",
        "postgres-operator.crunchydata.com/role": "master",
      }),
    ],
    { "postgres-operator.crunchydata.com/patroni": "pg", "postgres-operator.crunchydata.com/role": "master" },
  ],
  [
    "labels and values of one's own",
    [
      pod(
        "pg-0",
        { db: "pg", does: "lead" },
        patroni({
          PATRONI_KUBERNETES_SCOPE_LABEL: "db",
          PATRONI_KUBERNETES_ROLE_LABEL: "does",
          PATRONI_KUBERNETES_LEADER_LABEL_VALUE: "lead",
        }),
      ),
    ],
    { db: "pg", does: "lead" },
  ],
];

const REFUSED: readonly [what: string, pods: JsonObject[], slice: JsonObject | undefined, why: RegExp][] = [
  ["there is no pod", [pod("x", {}, { name: "x", image: "x" })], undefined, /no pod of the cluster/],
  ["nobody is published", [pod("pg-0", plain("primary"))], slice(), /no primary is published/],
  [
    "Patroni sets no labels",
    [pod("pg-0", { application: "patroni", "cluster-name": "pg" })],
    slice("pg-0"),
    /no pod carries Patroni's role label/,
  ],
  [
    "two carry the label",
    [pod("pg-0", plain("primary")), pod("pg-1", plain("primary"))],
    slice("pg-0"),
    /pg-0 and pg-1 carry/,
  ],
  [
    "another is published",
    [pod("pg-0", plain("primary")), ...replicas],
    slice("pg-1"),
    /names pg-0, which is not/,
  ],
  [
    "it is not ready",
    [pod("pg-0", plain("primary"), patroni(), { phase: "Running", conditions: [] })],
    slice("pg-0"),
    /pg-0 is not ready/,
  ],
  [
    "no label has the scope",
    [pod("pg-0", { role: "primary" })],
    slice("pg-0"),
    /no label of pg-0 carries the cluster/,
  ],
  [
    "something else has the same labels",
    [pod("pg-0", plain("primary")), pod("pooler", plain("primary"), { name: "pooler", image: "pgbouncer" })],
    slice("pg-0"),
    /(pooler carries the same labels|pg-0 and pooler carry)/,
  ],
];

describe("the selector that Kubernetes goes on with", () => {
  for (const [what, pods, selector] of SELECTED) {
    it(`of ${what}`, () => {
      assert.deepEqual(leaving("pg", pods, slice("pg-0")), { kind: "selector", selector, leader: "pg-0" });
    });
  }

  it("is found again by the labels alone, once the slice is gone", () => {
    assert.equal(leaving("pg", [pod("pg-0", plain("primary")), ...replicas], undefined).kind, "selector");
  });

  it("passes over pods that have ended", () => {
    const ended = pod("pg-9", plain("primary"), patroni(), { phase: "Failed" });
    const rest = [pod("pg-0", plain("primary")), ...replicas];
    assert.equal(leaving("pg", [ended, ...rest], slice("pg-0")).kind, "selector");
  });
});

describe("there is none where", () => {
  for (const [what, pods, given, why] of REFUSED) {
    it(what, () => {
      const plan = leaving("pg", pods, given);
      assert.ok(plan.kind === "refuse");
      assert.match(plan.why, why);
    });
  }
});
