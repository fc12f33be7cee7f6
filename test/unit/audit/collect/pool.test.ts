import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { AT_ONCE, forEach } from "../../../../src/audit/collect/pool.ts";

test("never more than the bound are under way, and results keep the order of the items", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(3), { maxLength: 60 }), async (turns) => {
      let underWay = 0;
      let most = 0;
      const results = await forEach(turns, async (count) => {
        most = Math.max(most, ++underWay);
        for (let turn = 0; turn < count; turn++) await setImmediate();
        underWay--;
        return count;
      });
      assert.deepEqual(results, turns);
      assert.ok(most <= AT_ONCE, `${most} at once`);
      if (turns.length >= AT_ONCE && turns.every((count) => count > 0)) assert.equal(most, AT_ONCE);
    }),
    { numRuns: 50 },
  );
});

test("what fails ends it", async () => {
  await assert.rejects(
    forEach([1, 2, 3], async (item) => {
      if (item === 2) throw new Error("no");
    }),
    /no/,
  );
});
