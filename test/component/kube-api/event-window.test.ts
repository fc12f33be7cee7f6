import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { EventWindow } from "../../../demo/kube-api/event-window.ts";

test("a window holds the newest events in order, and knows what it has forgotten", () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ push: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ quiet: fc.nat(3) }) },
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 40 }), (capacity, steps) => {
      const window = new EventWindow<{ revision: number }>(capacity);
      let kept: number[] = [];
      let [newest, forgotten] = [0, 0];
      for (const change of steps) {
        if ("push" in change) {
          newest += change.push;
          window.push({ revision: newest });
          kept.push(newest);
          if (kept.length > capacity) forgotten = kept.shift() ?? 0;
        } else {
          // Other resources may have moved the revision on.
          newest += change.quiet;
          window.forget(newest);
          kept = [];
          forgotten = newest;
        }
        for (let since = 0; since <= newest + 1; since++) {
          const expected = since < forgotten ? undefined : kept.filter((revision) => revision > since);
          assert.deepEqual(
            window.after(since)?.map(({ revision }) => revision),
            expected,
          );
        }
      }
    }),
  );
});
