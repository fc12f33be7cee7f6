import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { median, percentile, Samples } from "../../../bench/statistics.ts";

describe("a percentile is a value that was measured, by its nearest rank", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  const cases: readonly [what: string, sorted: readonly number[], percent: number, expected: number][] = [
    ["the middle of a hundred", hundred, 50, 50],
    ["the 99th of a hundred", hundred, 99, 99],
    ["the highest", hundred, 100, 100],
    ["the lowest", hundred, 0, 1],
    ["of a few, the highest stands for every high percentile", [1, 2, 3], 99, 3],
    ["the middle of three", [1, 2, 3], 50, 2],
    ["of two, the lower half", [1, 2], 50, 1],
    ["of one", [7], 99, 7],
    ["of none", [], 50, Number.NaN],
  ];
  for (const [what, sorted, percent, expected] of cases) {
    test(what, () => assert.equal(percentile(sorted, percent), expected));
  }
});

describe("the median", () => {
  test("of an odd number is the middle one, in whatever order they come", () =>
    assert.equal(median([9, 1, 5]), 5));
  test("of an even number is the mean of the middle two", () => assert.equal(median([4, 1, 2, 9]), 3));
  test("of none is no number", () => assert.equal(median([]), Number.NaN));
  test("leaves its argument alone", () => {
    const values = [3, 1, 2];
    median(values);
    assert.deepEqual(values, [3, 1, 2]);
  });
});

test("samples are all kept however many there are, and sorted as numbers", () => {
  const samples = new Samples();
  for (let value = 5000; value > 0; value--) samples.add(value);
  assert.equal(samples.count, 5000);
  const sorted = samples.sorted();
  assert.equal(sorted.length, 5000);
  assert.deepEqual([sorted[0], sorted[9], sorted[4999]], [1, 10, 5000]);
});
