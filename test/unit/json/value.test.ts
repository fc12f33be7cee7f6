import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { asObject, asString, at, isNoDeeperThan, isObject, objectsIn } from "../../../src/json/value.ts";

const nested = (levels: number, wrap: (inner: unknown) => unknown): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = wrap(value);
  return value;
};

describe("kinds of JSON values", () => {
  const rows: readonly [value: unknown, object: boolean, string: boolean][] = [
    [{}, true, false],
    [{ a: 1 }, true, false],
    [Object.create(null), true, false],
    [[], false, false],
    [null, false, false],
    [undefined, false, false],
    [0, false, false],
    ["", false, true],
    ["text", false, true],
    [true, false, false],
  ];
  for (const [value, object, string] of rows) {
    test(`${JSON.stringify(value) ?? "undefined"} is ${object ? "" : "not "}an object, ${string ? "" : "not "}a string`, () => {
      assert.equal(isObject(value), object);
      assert.equal(asObject(value), object ? value : undefined);
      assert.equal(asString(value), string ? value : undefined);
    });
  }
});

describe("objectsIn", () => {
  test("passes over entries of any other shape", () => {
    assert.deepEqual(objectsIn([{ a: 1 }, null, 1, "b", [], { c: 2 }]), [{ a: 1 }, { c: 2 }]);
  });
  for (const absent of [undefined, null, {}, "list", 3]) {
    test(`is empty for ${JSON.stringify(absent) ?? "undefined"}`, () =>
      assert.deepEqual(objectsIn(absent), []));
  }
});

describe("at", () => {
  const root = JSON.parse('{"a":{"b":{"c":0}},"list":[1],"nothing":null,"__proto__":{"own":1}}');
  const rows: readonly [path: string[], expected: unknown][] = [
    [["a", "b", "c"], 0],
    [["a", "b"], { c: 0 }],
    [["a", "x", "c"], undefined],
    [["list", "0"], undefined],
    [["nothing"], null],
    [["nothing", "x"], undefined],
    [["constructor"], undefined],
    [["a", "toString"], undefined],
    [["a", "__proto__", "polluted"], undefined],
    [["__proto__", "own"], 1],
    [[], root],
  ];
  for (const [path, expected] of rows) {
    test(`${path.join(".") || "(the root)"} is ${JSON.stringify(expected) ?? "undefined"}`, () => {
      assert.deepEqual(at(root, ...path), expected);
    });
  }
});

describe("isNoDeeperThan", () => {
  const list = (inner: unknown) => [inner];
  const object = (inner: unknown) => ({ inner });
  const rows: readonly [name: string, value: unknown, limit: number, expected: boolean][] = [
    ["a scalar has no depth", 1, 0, true],
    ["an empty object is one level", {}, 1, true],
    ["an empty object is more than none", {}, 0, false],
    ["lists, exactly the limit", nested(5, list), 5, true],
    ["lists, one more than the limit", nested(6, list), 5, false],
    ["objects, exactly the limit", nested(5, object), 5, true],
    ["objects, one more than the limit", nested(6, object), 5, false],
    ["only one deep branch", { flat: [1, 2], deep: nested(9, object) }, 5, false],
    ["a million levels", nested(1_000_000, list), 64, false],
    ["wide is not deep", Array.from({ length: 100_000 }, () => ({})), 2, true],
  ];
  for (const [name, value, limit, expected] of rows) {
    test(name, () => assert.equal(isNoDeeperThan(value, limit), expected));
  }
});
