import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  follows,
  formatTerm,
  parseTerm,
  seenTerm,
  type Term,
  UNKNOWN_TERM,
} from "../../../src/primary/term.ts";

const terms: fc.Arbitrary<Term> = fc.record({
  system: fc.option(fc.stringMatching(/^[1-9][0-9]{0,18}$/), { nil: undefined }),
  timeline: fc.nat({ max: 0xffffffff }),
});

test("what is written is read back", () => {
  fc.assert(fc.property(terms, (term) => assert.deepEqual(parseTerm(formatTerm(term)), { ...term })));
});

for (const text of [undefined, "", "7", "7/", "x/1", "7/x", "7/1/2", "7/-1", "7/1.5"]) {
  test(`${JSON.stringify(text)} is no term`, () => {
    assert.equal(parseTerm(text), undefined);
    assert.equal(seenTerm(text), text ? UNKNOWN_TERM : undefined, "what cannot be read is not nothing");
  });
}

const ROWS: readonly (readonly [string, string | undefined, boolean])[] = [
  ["7/2", undefined, true],
  ["7/2", "7/1", true],
  ["7/2", "7/2", true],
  ["7/1", "7/2", false],
  ["8/3", "7/2", false],
  ["/3", "7/2", true],
  ["7/3", "/2", true],
  ["7/1", "/2", false],
  ["7/9", "unknown", false],
  ["7/9", "what is this", false],
];
for (const [next, current, expected] of ROWS) {
  test(`${next} ${expected ? "follows" : "does not follow"} ${current ?? "nothing"}`, () => {
    const offered = parseTerm(next);
    assert.ok(offered);
    assert.equal(follows(offered, seenTerm(current)), expected);
  });
}
