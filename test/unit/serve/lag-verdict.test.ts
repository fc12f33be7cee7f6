import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LagVerdict } from "../../../src/serve/lag-verdict.ts";

/** One look a second. @returns after each whether the replica is to be passed over */
function looks(verdict: LagVerdict, from: number, waits: readonly number[], reviewShare = 0): boolean[] {
  return waits.map((longestMs, index) => {
    verdict.take({ longestMs, reviewShare, now: (from + index) * 1000 });
    return verdict.stalls;
  });
}

const times = (count: number, longestMs: number): number[] => Array<number>(count).fill(longestMs);

describe("the verdict on an event loop", () => {
  it("lags from one look to the next", () => {
    const verdict = new LagVerdict();
    const lags = [10, 249, 250, 3000, 10].map((longestMs, now) => {
      verdict.take({ longestMs, reviewShare: 1, now });
      return verdict.lags;
    });
    assert.deepEqual(lags, [false, false, true, true, false]);
  });

  it("stalls after five looks of nothing but stalls, and no longer after three calm ones", () => {
    const verdict = new LagVerdict();
    assert.deepEqual(looks(verdict, 0, times(5, 1200)), [false, false, false, false, true]);
    assert.deepEqual(looks(verdict, 5, [100, 100, 400, 100, 100, 100]), [
      true,
      true,
      true,
      true,
      true,
      false,
    ]);
  });

  it("is not moved by stalls with better moments in between", () => {
    const verdict = new LagVerdict();
    const waits = Array.from({ length: 40 }, (_, index) => (index % 5 === 4 ? 900 : 5000));
    assert.ok(!looks(verdict, 0, waits).includes(true));
  });

  it("never stalls because of reviews, which would come to the other replicas then", () => {
    assert.ok(!looks(new LagVerdict(), 0, times(600, 4000), 0.5).includes(true));
  });

  it("is away for 30 s at most, and again only after five minutes, for all replicas may have the same cause", () => {
    const away = looks(new LagVerdict(), 0, times(900, 4000));
    const spans: [number, number][] = [];
    for (const [second, isAway] of away.entries()) {
      if (isAway && away[second - 1] !== true) spans.push([second, 0]);
      const span = spans.at(-1);
      if (isAway && span !== undefined) span[1] = second;
    }
    assert.deepEqual(spans, [
      [4, 33],
      [334, 363],
      [664, 693],
    ]);
  });
});
