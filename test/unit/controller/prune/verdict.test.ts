import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clusterLabels } from "../../../../src/controller/desired/object.ts";
import { momentOf, stampOf, unusedForMs } from "../../../../src/controller/prune/clocks.ts";
import type { Holder } from "../../../../src/controller/prune/holders.ts";
import {
  type Circumstances,
  type Made,
  PATIENCE_MS,
  verdictOn,
} from "../../../../src/controller/prune/verdict.ts";
import type { ResourceName } from "../../../../src/controller/resources.ts";
import type { JsonObject } from "../../../../src/json/value.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const SINCE = "patroni-injector.io/unused-since";

const made = (
  resource: ResourceName,
  name: string,
  spec: JsonObject = {},
  annotations: JsonObject = {},
): Made => ({
  resource,
  object: { metadata: { namespace: "db", name, labels: clusterLabels("pg"), annotations }, spec },
});

const holder = (difference: Partial<Holder> = {}): Holder => ({
  uid: "uid-0",
  name: "pg-0",
  serviceAccount: "pg",
  pooler: false,
  attached: true,
  optedOut: false,
  ...difference,
});

const circumstances = (difference: Partial<Circumstances> = {}): Circumstances => ({
  wanted: new Set(),
  known: new Set(),
  holders: [],
  now: momentOf(NOW),
  byHand: false,
  ...difference,
});

const day = (before: number): JsonObject => ({ [SINCE]: new Date(NOW - before).toISOString() });
const role = made("roles", "patroni-injector.pg.pg");
const patroniRole = made("roles", "patroni.pg.pg");
const service = (annotations: JsonObject = {}, spec: JsonObject = {}) =>
  made("services", "pg-primary", spec, annotations);
const attached = [holder()];
const pooler = holder({ uid: "pool-0", name: "pool-0", serviceAccount: "pool", pooler: true });
const poolerRole = made("roles", "patroni-injector-pooler.pg.pool");
const bare = [holder({ attached: false })];
const wanted = new Set(["services/db/pg-primary", "roles/db/patroni-injector.pg.pg"]);

const ROWS: readonly [what: string, Made, Partial<Circumstances>, kind: string][] = [
  ["somebody else's", { resource: "roles", object: { metadata: { name: "x" } } }, {}, "keep"],
  ["what is wanted", role, { wanted }, "keep"],
  ["a Role of nobody", role, {}, "remove"],
  ["a binding of nobody", made("rolebindings", "patroni-injector.pg.pg"), {}, "remove"],
  ["a policy of nobody", made("peerauthentications", "patroni-injector-pg"), {}, "remove"],
  ["a Role of a pod with our sidecar", role, { holders: attached }, "keep"],
  ["a Role that no known pod wishes for", role, { holders: attached, known: new Set(["uid-0"]) }, "remove"],
  [
    "a Role, with one pod that is not known",
    role,
    { holders: [...attached, holder({ uid: "uid-1" })], known: new Set(["uid-0"]) },
    "keep",
  ],
  ["a Role, with pods that carry nothing of ours", role, { holders: bare }, "remove"],
  ["Patroni's own Role, with such a pod", patroniRole, { holders: bare }, "keep"],
  [
    "Patroni's own Role, with pods of another account",
    patroniRole,
    { holders: [holder({ attached: false, serviceAccount: "other" })] },
    "remove",
  ],
  [
    "Patroni's own Role that is no longer wanted, with a known pod",
    patroniRole,
    { holders: attached, known: new Set(["uid-0"]) },
    "keep",
  ],
  ["Patroni's own Role, by hand, with a pod", patroniRole, { holders: bare, byHand: true }, "keep"],

  ["a pooler's Role, with it", poolerRole, { holders: [pooler] }, "keep"],
  ["a pooler's Role, by hand, with it", poolerRole, { holders: [pooler], byHand: true }, "keep"],
  [
    "a pooler's Role of another account",
    poolerRole,
    { holders: [{ ...pooler, serviceAccount: "x" }] },
    "remove",
  ],
  [
    "a pooler's Role that it, known, no longer wishes for",
    poolerRole,
    { holders: [pooler], known: new Set(["pool-0"]) },
    "remove",
  ],
  ["a pooler's Role of nobody, beside members", poolerRole, { holders: bare }, "remove"],
  [
    "a pooler's Role, with a member of its account",
    poolerRole,
    { holders: [holder({ serviceAccount: "pool" })], known: new Set(["uid-0"]) },
    "remove",
  ],
  [
    "the members' Role, with a pooler of the same account",
    made("roles", "patroni-injector.pg.pool"),
    { holders: [pooler] },
    "remove",
  ],
  [
    "Patroni's own Role, with a pooler of the same account",
    made("roles", "patroni.pg.pool"),
    { holders: [pooler] },
    "remove",
  ],
  ["a Service with nothing but a pooler", service(), { holders: [pooler] }, "mark"],
  [
    "a Service with nothing but a pooler, whose time is over",
    service(day(PATIENCE_MS)),
    { holders: [pooler] },
    "remove",
  ],

  ["a Service of nobody", service(), {}, "mark"],
  ["a Service that waits", service(day(PATIENCE_MS - 1)), {}, "keep"],
  ["a Service whose time is over", service(day(PATIENCE_MS)), {}, "remove"],
  ["a Service whose time is over, with a pod", service(day(PATIENCE_MS)), { holders: bare }, "unmark"],
  ["a Service with a workload", service(), { holders: bare }, "keep"],
  ["a wanted Service that waits", service(day(1000)), { wanted }, "unmark"],
  ["a Service that waits since tomorrow", service(day(-PATIENCE_MS)), {}, "mark"],
  ["a Service that waits since nobody knows when", service({ [SINCE]: "noon" }), {}, "mark"],
  ["a LoadBalancer", service(day(9 * PATIENCE_MS), { type: "LoadBalancer" }), {}, "keep"],
  ["a NodePort", service(day(9 * PATIENCE_MS), { type: "NodePort" }), {}, "keep"],
  ["a Service, by hand", service(), { byHand: true }, "remove"],
  [
    "a Service, by hand, with a workload that opted out",
    service(),
    { byHand: true, holders: bare },
    "remove",
  ],
  ["a Service, by hand, with our sidecar", service(), { byHand: true, holders: attached }, "keep"],
  ["a LoadBalancer, by hand", service({}, { type: "LoadBalancer" }), { byHand: true }, "keep"],
  ["a slice", made("endpointslices", "pg-primary"), {}, "keep"],
  ["a slice, by hand", made("endpointslices", "pg-primary"), { byHand: true }, "remove"],
];

describe("what becomes of an object", () => {
  for (const [what, object, difference, kind] of ROWS) {
    it(`${what}: ${kind}`, () => assert.equal(verdictOn(object, circumstances(difference)).kind, kind));
  }
});

describe("the time in which a Service is not used", () => {
  it("is that of the slowest of the clocks: one that jumps ahead makes nothing older", () => {
    const stamp = stampOf(momentOf(NOW));
    const jumped = momentOf(NOW + 1000, NOW + 10 * PATIENCE_MS);
    assert.equal(unusedForMs(stamp, jumped), 1000);
    assert.equal(verdictOn(service({ [SINCE]: stamp }), circumstances({ now: jumped })).kind, "keep");
  });

  it("begins when the latest of the clocks says", () => {
    assert.equal(stampOf(momentOf(NOW - 60_000, NOW)), new Date(NOW).toISOString());
  });

  it("is not known of a stamp that lies ahead of every clock", () => {
    assert.equal(unusedForMs(stampOf(momentOf(NOW)), momentOf(NOW - 2, NOW - 1)), undefined);
    assert.equal(unusedForMs(stampOf(momentOf(NOW)), momentOf(NOW - 2, NOW)), -2);
  });
});
