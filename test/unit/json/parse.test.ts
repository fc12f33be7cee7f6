import assert from "node:assert/strict";
import { it } from "node:test";
import { parseObject } from "../../../src/json/parse.ts";

const ROWS: readonly [text: string, value: unknown][] = [
  ['{"a":[1]}', { a: [1] }],
  ["{}", {}],
  ["[]", undefined],
  ["null", undefined],
  ['"{}"', undefined],
  ["{", undefined],
  ["", undefined],
];

for (const [text, value] of ROWS) {
  it(`${JSON.stringify(text)} is ${value === undefined ? "no object" : "an object"}`, () =>
    assert.deepEqual(parseObject(text), value));
}
