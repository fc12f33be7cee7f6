import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FaultOutcome } from "../../e2e/analysis/outcome.ts";
import { sumsOf } from "../../e2e/analysis/sums.ts";

const outcome = (changes: Partial<FaultOutcome>): FaultOutcome => ({
  outcomes: { acknowledged: 9, before: 0, refused: 0, unknown: 0, readOnly: 0 },
  unavailableMs: undefined,
  struckToPromotedMs: undefined,
  struckToRemovedMs: undefined,
  promotedToPublishedMs: undefined,
  publishedToWrittenMs: undefined,
  lost: [],
  fromFormer: [],
  twoAtOnce: [],
  ...changes,
});

describe("what several changes of primary cost", () => {
  test("counts the time in which clients were led to the former server, from the promotion of the other", () => {
    const late = outcome({ struckToPromotedMs: 2000, struckToRemovedMs: 9000 });
    const early = outcome({ struckToPromotedMs: 2000, struckToRemovedMs: 500 });
    const unmoved = outcome({ struckToPromotedMs: 2000 });
    assert.equal(sumsOf([late, early, unmoved, late]).wrongServerMs, 14_000);
  });

  test("adds up what was lost and refused, and keeps the longest silence", () => {
    const readOnly = (count: number) => ({ ...outcome({}).outcomes, readOnly: count });
    const sums = sumsOf([
      outcome({ lost: [1, 2], outcomes: readOnly(3), unavailableMs: 700 }),
      outcome({ lost: [9], outcomes: readOnly(4), unavailableMs: 300 }),
    ]);
    assert.deepEqual([sums.lost, sums.readOnly, sums.unavailableMs], [3, 7, 700]);
  });
});
