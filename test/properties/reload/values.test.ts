import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isOutOfRange, isSameValue } from "../../../src/sidecar/reload/postgres/values.ts";
import { runs } from "../runs.ts";

const MEMORY = ["B", "kB", "MB", "GB", "TB"];
const quantity = fc.record({
  amount: fc.integer({ min: -1, max: 1 << 20 }),
  from: fc.nat(MEMORY.length - 1),
  down: fc.nat(2),
  base: fc.constantFrom("B", "kB", "8kB", "MB"),
});

test("an amount of memory is the same in every smaller unit, and another than what is more by one", () => {
  fc.assert(
    fc.property(quantity, ({ amount, from, down, base }) => {
      const kind = { vartype: "real", unit: base, least: undefined, most: undefined };
      const to = Math.max(0, from - down);
      const text = `${amount}${MEMORY[from]}`;
      const times = 1024 ** (from - to);
      assert.ok(isSameValue(text, `${amount * times} ${MEMORY[to]}`, kind));
      assert.ok(!isSameValue(text, `${amount * times + 1}${MEMORY[to]}`, kind));
    }),
    runs(300),
  );
});

test("what is the same is on the same side of every bound", () => {
  fc.assert(
    fc.property(quantity, fc.integer(), ({ amount, from, base }, least) => {
      const kind = { vartype: "integer", unit: base, least, most: undefined };
      const [one, other] = [`${amount}${MEMORY[from]}`, `${amount * 1024 ** from}B`];
      assert.equal(isOutOfRange(one, kind), isOutOfRange(other, kind));
    }),
    runs(300),
  );
});

test("any text is the same as itself, and comparing goes both ways", () => {
  const kinds = fc.record({
    vartype: fc.constantFrom("bool", "integer", "real", "enum", "string", undefined),
    unit: fc.constantFrom("kB", "ms", "8kB", "min", undefined),
    least: fc.constant(undefined),
    most: fc.constant(undefined),
  });
  const texts = fc.oneof(
    fc.string(),
    fc.constantFrom("on", "of", "1", "1.0", "0x1", "1min", "60s", "8MB", ""),
  );
  fc.assert(
    fc.property(texts, texts, kinds, (one, other, kind) => {
      assert.ok(isSameValue(one, one, kind));
      assert.equal(isSameValue(one, other, kind), isSameValue(other, one, kind));
    }),
    runs(300),
  );
});
