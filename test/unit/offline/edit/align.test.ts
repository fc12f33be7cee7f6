import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isObject, type Json } from "../../../../src/json/value.ts";
import { align } from "../../../../src/offline/edit/align.ts";

const entry: fc.Arbitrary<Json> = fc.oneof(
  fc.record({ name: fc.constantFrom("a", "b", "c", "d"), value: fc.nat(1) }),
  fc.nat(3),
);
const list = fc.array(entry, { maxLength: 8 });

describe("aligning two lists", () => {
  test("an entry put in front of another keeps both", () => {
    const steps = align(
      [{ name: "a" }, { name: "c", x: 1 }],
      [{ name: "a" }, { name: "b" }, { name: "c", x: 2 }],
    );
    assert.deepEqual(steps, [
      { kind: "keep", before: 0, after: 0 },
      { kind: "insert", after: 1 },
      { kind: "keep", before: 1, after: 2 },
    ]);
  });

  test("entries without a name that change in their place are kept", () => {
    assert.deepEqual(
      align([{ x: 1 }, 2], [{ x: 3 }, 4]).map(({ kind }) => kind),
      ["keep", "keep"],
    );
  });

  test("the steps lead from one list to the other, every entry once and in order", () => {
    fc.assert(
      fc.property(list, list, (before, after) => {
        const steps = align(before, after);
        const old = steps.flatMap((step) => (step.kind === "insert" ? [] : [step.before]));
        const now = steps.flatMap((step) => (step.kind === "delete" ? [] : [step.after]));
        assert.deepEqual(old, [...before.keys()]);
        assert.deepEqual(now, [...after.keys()]);
        for (const step of steps) {
          if (step.kind !== "keep") continue;
          const [one, other] = [before[step.before], after[step.after]];
          if (isObject(one) && isObject(other)) assert.equal(one.name, other.name);
        }
      }),
    );
  });

  test("long lists without anything in common take bounded time", { timeout: 10_000 }, () => {
    const long = (from: number) =>
      Array.from({ length: 20_000 }, (_, index) => ({ name: `n${from + index}` }));
    assert.equal(align(long(0), long(50_000).slice(1)).length, 39_999);
  });
});
