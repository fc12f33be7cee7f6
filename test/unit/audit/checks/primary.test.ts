import assert from "node:assert/strict";
import { test } from "node:test";
import { PRIMARY } from "../../../../src/audit/checks/primary.ts";
import type { JsonObject } from "../../../../src/json/value.ts";
import { audited, codesOf, member, namespace, object, statefulSet, threeMembers } from "../world.ts";

const leader = (name: string): JsonObject =>
  object("ConfigMap", "pg-leader", {}, { annotations: { leader: name } });
const service = (spec: JsonObject = {}, metadata: JsonObject = {}): JsonObject =>
  object(
    "Service",
    "pg-primary",
    { apiVersion: "v1", spec: { clusterIP: "10.96.0.9", ports: [{ port: 5432 }], ...spec } },
    metadata,
  );
const endpoints = (...ips: string[]): JsonObject =>
  object(
    "Endpoints",
    "pg-primary",
    ips.length === 0 ? {} : { subsets: [{ addresses: ips.map((ip) => ({ ip })) }] },
  );
const aside = (ips: string[]): JsonObject => ({
  ...endpoints(...ips),
  metadata: {
    namespace: "db",
    name: "pg-primary",
    labels: { "endpointslice.kubernetes.io/skip-mirror": "true" },
  },
});
const slice = (...names: string[]): JsonObject => ({
  kind: "EndpointSlice",
  metadata: {
    namespace: "db",
    name: "pg-primary",
    labels: {
      "kubernetes.io/service-name": "pg-primary",
      "endpointslice.kubernetes.io/managed-by": "patroni-injector.io",
      "patroni-injector.io/cluster": "pg",
    },
  },
  endpoints: names.map((name) => ({ addresses: ["10.244.0.1"], targetRef: { kind: "Pod", name } })),
});
const foreign: JsonObject = {
  kind: "EndpointSlice",
  metadata: { namespace: "db", name: "by-hand", labels: { "kubernetes.io/service-name": "pg-primary" } },
};

const BASE = [...threeMembers(), leader("pg-0")];
const SOUND = [...BASE, service(), slice("pg-0")];

const claim = (ordinal: number, role: string): JsonObject =>
  member(ordinal, {}, { annotations: { status: JSON.stringify({ role, state: "running" }) } });
const LOOP = {
  containers: [
    {
      name: "postgres",
      env: [
        { name: "PATRONI_SCOPE", value: "pg" },
        { name: "PATRONI_KUBERNETES_LABELS", value: "{}" },
      ],
    },
    {
      name: "discovery",
      command: ["sh", "-c", "while true; do kubectl patch endpoints pg-primary; sleep 10; done"],
    },
  ],
};

for (const [what, codes, objects] of [
  ["a sound cluster", [], SOUND],
  ["no primary Service yet", [], BASE],
  [
    "a selector",
    ["service-occupied"],
    [...SOUND, service({ selector: { role: "primary" } })].filter((each) => each !== SOUND[SOUND.length - 2]),
  ],
  ["an ExternalName", ["service-occupied"], [...BASE, service({ type: "ExternalName" })]],
  ["a slice of somebody else's", ["service-occupied"], [...SOUND, foreign]],
  ["Endpoints that hold the leader today", ["service-occupied"], [...SOUND, endpoints("10.244.0.1")]],
  ["Endpoints that hold a replica", ["stale-endpoints"], [...SOUND, endpoints("10.244.0.2")]],
  ["Endpoints that hold a pod that is gone", ["stale-endpoints"], [...SOUND, endpoints("10.244.7.7")]],
  ["Endpoints that hold nobody", ["stale-endpoints"], [...SOUND, endpoints()]],
  [
    "Endpoints that hold the leader and a replica",
    ["stale-endpoints"],
    [...SOUND, endpoints("10.244.0.1", "10.244.0.2")],
  ],
  ["Endpoints that were put aside", [], [...SOUND, aside(["10.244.0.2"])]],
  [
    "Endpoints of a selector are Kubernetes' own",
    ["service-occupied"],
    [...BASE, service({ selector: { role: "primary" } }), endpoints("10.244.0.2")],
  ],
  ["a replica is published", ["published-not-leader"], [...BASE, service(), slice("pg-1")]],
  ["two are published", ["published-not-leader"], [...BASE, service(), slice("pg-0", "pg-1")]],
  ["nobody is published", ["nothing-published"], [...BASE, service(), slice()]],
  ["nobody leads, and nobody is published", [], [...threeMembers(), leader(""), service(), slice()]],
  [
    "a loop of the user's own",
    ["legacy-discovery-sidecar"],
    [namespace("db"), statefulSet(LOOP), leader("")],
  ],
] as const satisfies readonly (readonly [string, readonly string[], readonly JsonObject[]])[])
  test(what, () => assert.deepEqual(codesOf(audited(PRIMARY, { objects })), codes));

test("what a stale object leads to is named", () => {
  const { findings } = audited(PRIMARY, { objects: [...SOUND, endpoints("10.244.0.2", "10.9.9.9")] });
  assert.deepEqual(
    findings.map(({ evidence }) => evidence),
    ["leads to 10.244.0.2 (pg-1), 10.9.9.9, which is no member's; the leader is pg-0 (10.244.0.1)"],
  );
});

test("the fix of a stale object is the Service as it stands, with take-over", () => {
  const live = service(
    {},
    { uid: "1", resourceVersion: "7", labels: { app: "x" }, annotations: { team: "db" } },
  );
  const { findings } = audited(PRIMARY, { objects: [...BASE, live, slice("pg-0"), endpoints("10.244.0.2")] });
  assert.deepEqual(findings[0]?.fix, [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: {
        namespace: "db",
        name: "pg-primary",
        labels: { app: "x" },
        annotations: { team: "db", "patroni-injector.io/take-over": "true" },
      },
      spec: { clusterIP: "10.96.0.9", ports: [{ port: 5432 }] },
    },
  ]);
});

test("two members that claim it: by their answers, else by what they last wrote", () => {
  const around = [namespace("db"), statefulSet(), leader("pg-0")];
  const objects = [...around, claim(0, "primary"), claim(1, "primary")];
  assert.deepEqual(codesOf(audited(PRIMARY, { objects })), ["two-primaries"]);
  const answers = {
    "db/pg-0": { patroni: { role: "primary" } },
    "db/pg-1": { patroni: { role: "replica" } },
  };
  assert.deepEqual(codesOf(audited(PRIMARY, { objects, answers })), []);
  const both = { ...answers, "db/pg-1": { patroni: { role: "master" } } };
  const outcome = audited(PRIMARY, { objects, answers: both });
  assert.deepEqual(
    outcome.findings.map(({ evidence }) => evidence),
    ["pg-0 and pg-1"],
  );
});
