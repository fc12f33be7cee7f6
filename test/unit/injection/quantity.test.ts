import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nanos, sameQuantities } from "../../../src/injection/quantity.ts";

const ROWS: readonly [quantity: unknown, value: bigint | undefined][] = [
  ["0", 0n],
  ["1", 10n ** 9n],
  [1, 10n ** 9n],
  [0.5, 5n * 10n ** 8n],
  ["0.5", 5n * 10n ** 8n],
  [".5", 5n * 10n ** 8n],
  ["5.", 5n * 10n ** 9n],
  ["+1", 10n ** 9n],
  ["-1", -(10n ** 9n)],
  ["007", 7n * 10n ** 9n],
  ["100m", 10n ** 8n],
  ["1u", 1000n],
  ["1n", 1n],
  ["0.1n", 1n],
  ["1.0000000001", 10n ** 9n + 1n],
  ["1k", 10n ** 12n],
  ["1Ki", 1024n * 10n ** 9n],
  ["1.5Gi", 3n * 2n ** 29n * 10n ** 9n],
  ["1M", 10n ** 15n],
  ["1G", 10n ** 18n],
  ["1T", 10n ** 21n],
  ["1P", 10n ** 24n],
  ["1E", 10n ** 27n],
  ["1Ei", 2n ** 60n * 10n ** 9n],
  ["1e3", 10n ** 12n],
  ["1E3", 10n ** 12n],
  ["1e-3", 10n ** 6n],
  ["12e+2", 1200n * 10n ** 9n],
  [1e21, 10n ** 30n],
  ["", undefined],
  [".", undefined],
  ["m", undefined],
  ["1K", undefined],
  ["1mi", undefined],
  ["1 Mi", undefined],
  ["0x10", undefined],
  ["1e", undefined],
  ["1e3m", undefined],
  ["--1", undefined],
  ["1,5", undefined],
  ["9".repeat(31), undefined],
  [Number.NaN, undefined],
  [Number.POSITIVE_INFINITY, undefined],
  [null, undefined],
  [undefined, undefined],
  [{}, undefined],
  [["1"], undefined],
  [true, undefined],
];

describe("quantities in billionths", () => {
  for (const [quantity, value] of ROWS) {
    test(`${JSON.stringify(quantity) ?? "undefined"} is ${value ?? "none"}`, () =>
      assert.equal(nanos(quantity), value));
  }
});

describe("lists of quantities that say the same", () => {
  const rows: readonly [one: unknown, other: unknown, same: boolean][] = [
    [undefined, undefined, true],
    [undefined, {}, true],
    [null, {}, true],
    [{ cpu: "50m" }, { cpu: "0.05" }, true],
    [{ cpu: "1", memory: "1Gi" }, { memory: "1024Mi", cpu: "1000m" }, true],
    [{ cpu: "50m" }, { cpu: "51m" }, false],
    [{ cpu: "50m" }, {}, false],
    [{ cpu: "0" }, {}, false],
    [{ cpu: "50m" }, { memory: "50m" }, false],
    [{ cpu: "much" }, { cpu: "much" }, false],
  ];
  for (const [one, other, same] of rows) {
    test(`${JSON.stringify(one)} and ${JSON.stringify(other)}: ${same}`, () => {
      assert.equal(sameQuantities(one, other), same);
      assert.equal(sameQuantities(other, one), same);
    });
  }
});
