import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sameJson } from "../../../src/json/same.ts";

describe("sameJson", () => {
  const rows: readonly [name: string, one: unknown, other: unknown, same: boolean][] = [
    ["equal scalars", "a", "a", true],
    ["another scalar", 1, 2, false],
    ["a number and its text", 1, "1", false],
    ["null and undefined", null, undefined, false],
    ["null and an empty object", null, {}, false],
    ["an empty list and an empty object", [], {}, false],
    ["an object like a list", { 0: "a", length: 1 }, ["a"], false],
    ["equal trees", { a: [1, { b: null }] }, { a: [1, { b: null }] }, true],
    ["another order of keys", { a: 1, b: 2 }, { b: 2, a: 1 }, true],
    ["another order of entries", [1, 2], [2, 1], false],
    ["one entry more", [1], [1, 2], false],
    ["one key more", { a: 1 }, { a: 1, b: 2 }, false],
    ["one key less", { a: 1, b: 2 }, { a: 1 }, false],
    ["as many keys, but others", { a: 1 }, { b: 1 }, false],
    ["a key that only a prototype has", { toString: 1 }, { a: 1 }, false],
    ["an absent key and an undefined one", { a: undefined }, { b: undefined }, false],
    ["a difference deep inside", { a: [{ b: 1 }] }, { a: [{ b: 2 }] }, false],
  ];
  for (const [name, one, other, same] of rows) {
    test(`${name}: ${same ? "same" : "different"}`, () => {
      assert.equal(sameJson(one, other), same);
      assert.equal(sameJson(other, one), same);
    });
  }

  test("parts that both share are not walked", () => {
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    assert.equal(sameJson({ a: cyclic }, { a: cyclic }), true);
  });
});
