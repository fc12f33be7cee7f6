import assert from "node:assert/strict";
import { test } from "node:test";
import { ADDRESSES } from "../../../../src/audit/checks/addresses.ts";
import type { JsonObject } from "../../../../src/json/value.ts";
import { audited, codesOf, member, namespace, object, statefulSet } from "../world.ts";

const headless = (name: string, spec: JsonObject = {}): JsonObject =>
  object("Service", name, {
    apiVersion: "v1",
    spec: { clusterIP: "None", publishNotReadyAddresses: true, selector: { "cluster-name": "pg" }, ...spec },
  });

const announcing = (host: string, spec: JsonObject = {}): JsonObject =>
  member(
    0,
    { hostname: "pg-0", subdomain: "pg-headless", ...spec },
    { annotations: { status: JSON.stringify({ conn_url: `postgres://${host}:5432/postgres` }) } },
  );

const ENABLED = namespace("db", { "patroni-injector.io/injection": "enabled" });
const BASE = [ENABLED, statefulSet()];
const HEADLESS = headless("pg-headless");
const NAME = "pg-0.pg-headless.db.svc.cluster.local";

for (const [what, codes, objects] of [
  ["a whole name", [], [...BASE, HEADLESS, announcing(NAME)]],
  ["a name within the namespace", [], [...BASE, HEADLESS, announcing("pg-0.pg-headless")]],
  ["a name within the cluster", [], [...BASE, HEADLESS, announcing("pg-0.pg-headless.db.svc")]],
  ["an IPv4 address", ["announces-ip"], [...BASE, HEADLESS, announcing("10.244.0.1")]],
  ["an IPv6 address", ["announces-ip"], [...BASE, HEADLESS, announcing("[fd00::1]")]],
  ["a name of another domain", [], [...BASE, HEADLESS, announcing("pg-0.example.test.")]],
  ["no such Service", ["name-unresolved"], [...BASE, HEADLESS, announcing("pg-0.gone.db.svc.cluster.local")]],
  [
    "another pod's hostname",
    ["name-unresolved"],
    [...BASE, HEADLESS, announcing(NAME, { hostname: "pg-1" })],
  ],
  ["another subdomain", ["name-unresolved"], [...BASE, HEADLESS, announcing(NAME, { subdomain: "" })]],
  [
    "a Service that does not select the pod",
    ["name-unresolved"],
    [...BASE, headless("pg-headless", { selector: { app: "web" } }), announcing(NAME)],
  ],
  ["the name of a Service", [], [...BASE, HEADLESS, headless("one-of-mine"), announcing("one-of-mine")]],
  ["the name of no Service", ["name-unresolved"], [...BASE, HEADLESS, announcing("nothing")]],
  ["no headless Service", ["headless-missing", "name-unresolved"], [...BASE, announcing(NAME)]],
  ["no headless Service, not opted in", [], [namespace("db"), statefulSet()]],
  [
    "a Service with a ClusterIP",
    ["name-unresolved", "subdomain-not-headless"],
    [...BASE, headless("pg-headless", { clusterIP: "10.96.0.3" }), announcing(NAME)],
  ],
  [
    "not-ready members are hidden",
    ["headless-not-ready"],
    [...BASE, headless("pg-headless", { publishNotReadyAddresses: false }), announcing(NAME)],
  ],
  [
    "the workload's own, before there are pods",
    ["headless-not-ready"],
    [...BASE, HEADLESS, headless("pg", { publishNotReadyAddresses: false })],
  ],
] as const satisfies readonly (readonly [string, readonly string[], readonly JsonObject[]])[])
  test(what, () => {
    const outcome = audited(ADDRESSES, { objects });
    assert.deepEqual(codesOf(outcome), codes);
    assert.deepEqual(outcome.unseen, []);
  });

for (const [what, objects] of [
  ["a Service that is missing", [...BASE, announcing("pg-0.pg-headless")]],
  [
    "a Service that hides members",
    [...BASE, headless("pg-headless", { publishNotReadyAddresses: false }), announcing(NAME)],
  ],
] as const)
  test(`the fix mends ${what}`, () => {
    const { findings } = audited(ADDRESSES, { objects });
    const fixes = findings.flatMap(({ fix = [] }) => fix);
    assert.equal(fixes.length, 1);
    const label = { "patroni-injector.io/cluster": "pg" };
    const mended = objects
      .filter(
        (each) =>
          !fixes.some(({ metadata }) => (metadata as JsonObject).name === (each.metadata as JsonObject).name),
      )
      .map((each) =>
        each.kind === "Pod"
          ? {
              ...each,
              metadata: {
                ...(each.metadata as JsonObject),
                labels: { ...label, "cluster-name": "pg", application: "patroni" },
              },
            }
          : each,
      );
    assert.deepEqual(codesOf(audited(ADDRESSES, { objects: [...mended, ...fixes] })), []);
  });
