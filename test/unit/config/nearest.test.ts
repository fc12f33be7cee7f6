import assert from "node:assert/strict";
import { it } from "node:test";
import { nearest } from "../../../src/config/nearest.ts";

const KEYS = ["host", "port", "failurePolicy", "timeoutSeconds"];

const ROWS: readonly (readonly [string, string | undefined])[] = [
  ["prot", "port"],
  ["Port", "port"],
  ["ports", "port"],
  ["por", "port"],
  ["failPolicy", "failurePolicy"],
  ["timeoutSecond", "timeoutSeconds"],
  ["colour", undefined],
  ["x", undefined],
  ["p".repeat(1_000_000), undefined],
];

for (const [word, meant] of ROWS) {
  it(`takes ${word.slice(0, 20)} for ${meant}`, () => assert.equal(nearest(word, KEYS), meant));
}
