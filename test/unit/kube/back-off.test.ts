import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { BackOff } from "../../../src/kube/back-off.ts";
import { KubeError } from "../../../src/kube/error.ts";

const TIMES = { firstPauseMs: 100, longestPauseMs: 1000 };
const highest = () => 1 - Number.EPSILON;

const pauses = (backOff: BackOff, count: number, error?: unknown) =>
  Array.from({ length: count }, () => Math.round(backOff.next(error)));

describe("BackOff", () => {
  it("doubles up to its bound", () => {
    assert.deepEqual(pauses(new BackOff(TIMES, highest), 6), [100, 200, 400, 800, 1000, 1000]);
  });

  it("spreads each pause over the upper half", () => {
    assert.deepEqual(pauses(new BackOff(TIMES, () => 0), 3), [50, 100, 200]);
  });

  it("begins anew after a reset", () => {
    const backOff = new BackOff(TIMES, highest);
    pauses(backOff, 5);
    backOff.reset();
    assert.deepEqual(pauses(backOff, 2), [100, 200]);
  });

  it("stays away for as long as it is asked to, but not for ever", () => {
    const asked = (seconds: number) => new KubeError("", { code: 429, retryAfterSeconds: seconds });
    const backOff = new BackOff(TIMES, highest);
    assert.deepEqual(pauses(backOff, 1, asked(7)), [7000]);
    assert.deepEqual(pauses(backOff, 1, asked(0)), [200]);
    assert.deepEqual(pauses(backOff, 1, asked(86_400)), [120_000]);
  });

  it("is always a pause within its bounds", () => {
    const random = fc.double({ min: 0, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(random, fc.integer({ min: 1, max: 200 }), (value, count) => {
        for (const pause of pauses(new BackOff(TIMES, () => value), count)) {
          assert.ok(pause >= 50 && pause <= 1000, `${pause}`);
        }
      }),
    );
  });
});
