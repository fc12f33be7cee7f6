import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../../src/json/value.ts";
import { decide, type Situation, type Verdict } from "../../../src/primary/decide.ts";
import { type PodIdentity, readSlice, withPod } from "../../../src/primary/slice.ts";
import type { Standing } from "../../../src/primary/standing.ts";
import type { Term } from "../../../src/primary/term.ts";

const pod = (ordinal: number): PodIdentity => ({
  namespace: "db",
  name: `pg-${ordinal}`,
  uid: `uid-${ordinal}`,
  address: `10.0.0.${ordinal}`,
  nodeName: "node",
});
const US = pod(1);
const EMPTY: JsonObject = { metadata: {}, endpoints: [] };
const term = (timeline: number, system: string | undefined = "7"): Term => ({ system, timeline });
const primary = (timeline: number, system?: string): Standing => ({
  kind: "primary",
  term: term(timeline, system),
});
const lost: Standing = { kind: "lost", why: "503" };
const unclear: Standing = { kind: "unclear", why: "no answer" };
const ours = withPod(EMPTY, US, term(4));
const others = withPod(EMPTY, pod(2), term(4));
const unknown = { ...EMPTY, metadata: { annotations: { "patroni-injector.io/term": "unknown" } } };
const tampered = (endpoint: JsonObject): JsonObject => ({ ...ours, endpoints: [endpoint] });

interface Row extends Partial<Omit<Situation, "slice">> {
  readonly what: string;
  readonly slice: JsonObject;
  readonly standing: Standing;
  readonly gives: Verdict["kind"];
}

const ROWS: readonly Row[] = [
  { what: "a primary, nobody published", slice: EMPTY, standing: primary(4), gives: "publish" },
  { what: "a primary in another's place", slice: others, standing: primary(5), gives: "publish" },
  {
    what: "a primary, the same timeline in another's place",
    slice: others,
    standing: primary(4),
    gives: "publish",
  },
  { what: "a primary that stands there", slice: ours, standing: primary(4), gives: "rest" },
  { what: "its timeline rose", slice: ours, standing: primary(5), gives: "publish" },
  { what: "a lower timeline", slice: others, standing: primary(3), gives: "term-refused" },
  { what: "another system", slice: others, standing: primary(9, "8"), gives: "term-refused" },
  {
    what: "a lower timeline, named for the TTL",
    slice: others,
    standing: primary(3),
    namedForMs: 30_000,
    gives: "term-refused",
  },
  {
    what: "a lower timeline, named for longer",
    slice: others,
    standing: primary(3),
    namedForMs: 30_001,
    gives: "publish",
  },
  {
    what: "another system, named for longer",
    slice: others,
    standing: primary(1, "8"),
    namedForMs: 30_001,
    gives: "publish",
  },
  {
    what: "any term after one that nobody knows",
    slice: unknown,
    standing: primary(9),
    gives: "term-refused",
  },
  {
    what: "any term after one that nobody knows, named for longer",
    slice: unknown,
    standing: primary(1),
    namedForMs: 30_001,
    gives: "publish",
  },
  {
    what: "our address with another's uid",
    slice: tampered({ addresses: [US.address], targetRef: { uid: "x" } }),
    standing: primary(4),
    gives: "publish",
  },
  {
    what: "our uid with a wrong address",
    slice: tampered({ addresses: ["10.9.9.9"], targetRef: { uid: US.uid } }),
    standing: primary(4),
    gives: "publish",
  },
  {
    what: "our endpoint, not ready",
    slice: tampered({ addresses: [US.address], conditions: { ready: false }, targetRef: { uid: US.uid } }),
    standing: primary(4),
    gives: "publish",
  },
  {
    what: "two endpoints",
    slice: {
      ...ours,
      endpoints: [...(ours.endpoints as JsonObject[]), ...(others.endpoints as JsonObject[])],
    },
    standing: primary(4),
    gives: "publish",
  },
  { what: "no primary any more", slice: ours, standing: lost, gives: "withdraw" },
  {
    what: "no primary, our address without a pod",
    slice: tampered({ addresses: [US.address] }),
    standing: lost,
    gives: "withdraw",
  },
  { what: "no primary, another published", slice: others, standing: lost, gives: "rest" },
  {
    what: "no primary, our address with another's uid",
    slice: tampered({ addresses: [US.address], targetRef: { uid: "x" } }),
    standing: lost,
    gives: "rest",
  },
  { what: "unclear, published", slice: ours, standing: unclear, gives: "rest" },
  {
    what: "unclear, put there by somebody else",
    slice: ours,
    standing: unclear,
    mustProve: true,
    gives: "withdraw",
  },
  { what: "unclear, another published", slice: others, standing: unclear, mustProve: true, gives: "rest" },
  {
    what: "a term that cannot be read",
    slice: { metadata: { annotations: { "patroni-injector.io/term": "gone" } }, endpoints: [] },
    standing: primary(1),
    gives: "term-refused",
  },
];

for (const { what, slice, gives, ...rest } of ROWS) {
  test(`${what}: ${gives}`, () => {
    const verdict = decide({
      pod: US,
      slice: readSlice(slice),
      namedForMs: 0,
      ttlMs: 30_000,
      mustProve: false,
      ...rest,
    });
    assert.equal(verdict.kind, gives);
  });
}

test("a member that does not say its system does not make the slice forget it", () => {
  const standing: Standing = { kind: "primary", term: term(5, undefined) };
  const verdict = decide({
    pod: US,
    slice: readSlice(others),
    standing: { ...standing, term: { system: undefined, timeline: 5 } },
    namedForMs: 0,
    ttlMs: 1,
    mustProve: false,
  });
  assert.deepEqual(verdict, { kind: "publish", term: { system: "7", timeline: 5 } });
});
