import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EXPOSURE } from "../../../../src/audit/checks/exposure.ts";
import type { JsonObject } from "../../../../src/json/value.ts";
import { audited, codesOf, member, namespace, object, statefulSet, threeMembers } from "../world.ts";

const NODES = [0, 1].map((ordinal): JsonObject => ({ kind: "Node", metadata: { name: `node-${ordinal}` } }));
const BUDGET = object("PodDisruptionBudget", "pg", {
  spec: { selector: { matchLabels: { "cluster-name": "pg" } } },
});
const SOUND = [...threeMembers(), ...NODES, BUDGET];

const service = (type: string, port: object, selector?: object): JsonObject =>
  object("Service", "pg-outside", { spec: { type, ports: [port], selector } as never });
const PG = { "cluster-name": "pg" };

describe("a sound cluster", () => {
  test("has no findings", () =>
    assert.deepEqual(audited(EXPOSURE, { objects: SOUND }), { findings: [], unseen: [] }));
});

for (const [what, codes, objects] of [
  ["a LoadBalancer on PostgreSQL", ["exposed-port"], [...SOUND, service("LoadBalancer", { port: 5432 }, PG)]],
  [
    "a NodePort on Patroni",
    ["exposed-port"],
    [...SOUND, service("NodePort", { port: 80, targetPort: 8008 }, PG)],
  ],
  ["a NodePort on something else", [], [...SOUND, service("NodePort", { port: 9187, targetPort: 9187 }, PG)]],
  ["a ClusterIP on PostgreSQL", [], [...SOUND, service("ClusterIP", { port: 5432 }, PG)]],
  [
    "a LoadBalancer that leads elsewhere",
    [],
    [...SOUND, service("LoadBalancer", { port: 5432 }, { app: "web" })],
  ],
  [
    "a LoadBalancer in another namespace",
    [],
    [...SOUND, { ...service("LoadBalancer", { port: 5432 }, PG), metadata: { namespace: "app", name: "x" } }],
  ],
  [
    "the primary Service itself, without a selector",
    ["exposed-port"],
    [...SOUND, object("Service", "pg-primary", { spec: { type: "LoadBalancer", ports: [{ port: 5432 }] } })],
  ],
  ["no budget", ["no-disruption-budget"], SOUND.filter((each) => each !== BUDGET)],
  [
    "a budget for others",
    ["no-disruption-budget"],
    [
      ...SOUND.filter((each) => each !== BUDGET),
      object("PodDisruptionBudget", "x", { spec: { selector: { matchLabels: { app: "web" } } } }),
    ],
  ],
  ["a single member needs no budget", [], [namespace("db"), statefulSet({}, { replicas: 1 }), member(0)]],
  [
    "all on one node",
    ["one-node"],
    [
      ...SOUND.filter(({ kind }) => kind !== "Pod"),
      ...[0, 1, 2].map((n) => member(n, { nodeName: "node-0" })),
    ],
  ],
  [
    "on two nodes",
    [],
    [
      ...SOUND.filter(({ kind }) => kind !== "Pod"),
      member(0, { nodeName: "node-0" }),
      member(1, { nodeName: "node-1" }),
    ],
  ],
  [
    "a cluster of one node cannot do better",
    [],
    [
      ...SOUND.filter(({ kind }) => kind !== "Pod" && kind !== "Node"),
      { kind: "Node", metadata: { name: "node-0" } },
      ...[0, 1].map((n) => member(n, { nodeName: "node-0" })),
    ],
  ],
  [
    "no grace",
    ["no-grace"],
    [namespace("db"), statefulSet({ terminationGracePeriodSeconds: 0 }, { replicas: 1 })],
  ],
  [
    "a second of grace",
    [],
    [namespace("db"), statefulSet({ terminationGracePeriodSeconds: 1 }, { replicas: 1 })],
  ],
  [
    "a bare pod without grace",
    ["no-grace"],
    [namespace("db"), member(0, { terminationGracePeriodSeconds: 0 }, { ownerReferences: [] })],
  ],
] as const satisfies readonly (readonly [string, readonly string[], readonly JsonObject[]])[]) {
  test(what, () => {
    const world = { objects: objects.some(({ kind }) => kind === "Node") ? objects : [...objects, ...NODES] };
    assert.deepEqual(codesOf(audited(EXPOSURE, world)), codes);
  });
}

test("the budget of the fix covers the cluster", () => {
  const objects = SOUND.filter((each) => each !== BUDGET);
  const fix = audited(EXPOSURE, { objects }).findings[0]?.fix ?? [];
  assert.equal(fix.length, 1);
  assert.deepEqual(codesOf(audited(EXPOSURE, { objects: [...objects, ...fix] })), []);
});

test("what cannot be looked at is said, and hides nothing else", () => {
  const objects = [namespace("db"), statefulSet({ terminationGracePeriodSeconds: 0 }), ...NODES];
  const { findings, unseen } = audited(EXPOSURE, { objects, hidden: { PodDisruptionBudget: "403" } });
  assert.deepEqual(
    findings.map(({ code }) => code),
    ["no-grace"],
  );
  assert.deepEqual(unseen, [{ codes: ["no-disruption-budget"], why: "403" }]);
});
