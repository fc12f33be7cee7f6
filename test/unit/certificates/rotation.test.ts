import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type AuthorityFacts,
  type LeafFacts,
  nextStep,
  type RotationFacts,
  type Step,
} from "../../../src/certificates/rotation.ts";

const NOW = 1_000_000;
const CACHES = 60;

const authority = (id: string, changes: Partial<AuthorityFacts> = {}): AuthorityFacts => ({
  id,
  notBefore: NOW - 10_000,
  notAfter: NOW + 90_000,
  lastLeafUntil: NOW + 500,
  ...changes,
});

const leaf = (issuer: string, changes: Partial<LeafFacts> = {}): LeafFacts => ({
  issuer,
  notBefore: NOW - 100,
  notAfter: NOW + 900,
  coversNames: true,
  ...changes,
});

const DUE = { notBefore: NOW - 700, notAfter: NOW + 300 };
const OVER = { notBefore: NOW - 900, notAfter: NOW - 1 };
const FUTURE = { notBefore: NOW + 1, notAfter: NOW + 900 };

type Seen = Readonly<Record<string, number>>;

function step(authorities: AuthorityFacts[], current: LeafFacts | undefined, seen: Seen = {}): Step {
  const facts: RotationFacts = {
    authorities,
    leaf: current,
    seenForMs: (id) => seen[id],
    anySeen: Object.keys(seen).length > 0,
    now: NOW,
    cachesMs: CACHES,
  };
  return nextStep(facts);
}

const A = authority("a");
const B = authority("b");

const ROWS: readonly [what: string, made: Step, expected: Step][] = [
  ["nothing is there", step([], undefined), { kind: "make-authority", why: "absent", drop: [] }],
  [
    "an authority, and nobody trusts any",
    step([A], undefined),
    { kind: "issue-leaf", why: "absent", authority: "a" },
  ],
  ["all is well", step([A], leaf("a"), { a: 999 }), { kind: "wait", for: "time" }],
  [
    "the authority is past two thirds",
    step([authority("a", { notBefore: NOW - 70, notAfter: NOW + 30 })], leaf("a"), { a: 999 }),
    { kind: "make-authority", why: "due", drop: [] },
  ],
  [
    "the authority is over",
    step([authority("a", OVER)], leaf("a"), { a: 999 }),
    { kind: "make-authority", why: "invalid-now", drop: [] },
  ],
  [
    "the authority is of the future",
    step([authority("a", FUTURE)], leaf("a", FUTURE), { a: 999 }),
    { kind: "make-authority", why: "invalid-now", drop: [] },
  ],
  ["the next one is nowhere", step([A, B], leaf("a"), { a: 999 }), { kind: "wait", for: "caBundle" }],
  [
    "the next one was seen just now",
    step([A, B], leaf("a"), { a: 999, b: CACHES - 1 }),
    { kind: "wait", for: "caches" },
  ],
  [
    "the next one was seen for long enough",
    step([A, B], leaf("a"), { a: 999, b: CACHES }),
    { kind: "issue-leaf", why: "authority-replaced", authority: "b" },
  ],
  [
    "a leaf that is due meanwhile",
    step([A, B], leaf("a", DUE), { a: 999, b: 0 }),
    { kind: "issue-leaf", why: "due", authority: "a" },
  ],
  [
    "a leaf that is due",
    step([A], leaf("a", DUE), { a: CACHES }),
    { kind: "issue-leaf", why: "due", authority: "a" },
  ],
  [
    "a leaf that is due, right after a start",
    step([A], leaf("a", DUE), { a: CACHES - 1 }),
    { kind: "wait", for: "caches" },
  ],
  [
    "a leaf that is over",
    step([A], leaf("a", OVER), { a: 0 }),
    { kind: "issue-leaf", why: "invalid-now", authority: "a" },
  ],
  [
    "a leaf that is over, and only the old one is trusted",
    step([A, B], leaf("a", OVER), { a: 0 }),
    { kind: "issue-leaf", why: "invalid-now", authority: "a" },
  ],
  [
    "a leaf that is over, and nobody is trusted",
    step([A, B], leaf("a", OVER)),
    { kind: "issue-leaf", why: "invalid-now", authority: "b" },
  ],
  [
    "a leaf without a name of ours",
    step([A], leaf("a", { coversNames: false }), { a: CACHES }),
    { kind: "issue-leaf", why: "names", authority: "a" },
  ],
  [
    "a leaf that is gone, though replicas may serve it yet",
    step([A], undefined, { other: 999 }),
    { kind: "wait", for: "caBundle" },
  ],
  [
    "a leaf of somebody unknown",
    step([A], leaf("lost"), { lost: 999, a: 1 }),
    { kind: "wait", for: "caches" },
  ],
  [
    "never back to an older one",
    step([A, B], leaf("b", DUE), { a: 999, b: 1 }),
    { kind: "wait", for: "caches" },
  ],
  [
    "the old one's last leaf is over",
    step([authority("a", { lastLeafUntil: NOW - CACHES - 1 }), B], leaf("b"), { a: 999, b: 999 }),
    { kind: "retire", authorities: ["a"] },
  ],
  [
    "the old one's last leaf is not over for every clock",
    step([authority("a", { lastLeafUntil: NOW - CACHES }), B], leaf("b"), { a: 999, b: 999 }),
    { kind: "wait", for: "time" },
  ],
  [
    "one that is over while its own leaf is served",
    step([authority("a", { lastLeafUntil: NOW - 999 }), B], leaf("a"), { a: 999 }),
    { kind: "wait", for: "caBundle" },
  ],
];

describe("nextStep", () => {
  for (const [what, made, expected] of ROWS) it(what, () => assert.deepEqual(made, expected));

  it("gives up the oldest, but never who signed what is served, where there are too many", () => {
    const many = ["a", "b", "c", "d", "e", "f", "g", "h"].map((id) => authority(id, OVER));
    assert.deepEqual(step(many, leaf("a")), { kind: "make-authority", why: "invalid-now", drop: ["b"] });
  });
});
