import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { at } from "../../../src/json/value.ts";
import { parseDocument } from "../../../src/offline/parse.ts";

const read = (text: string) => {
  const parsed = parseDocument(text);
  assert.equal(parsed.kind, "read");
  return parsed.kind === "read" ? parsed.value : null;
};

const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

const bomb = Array.from({ length: 30 }, (_, level) =>
  level === 0 ? "a0: &a0 [x, x]" : `a${level}: &a${level} [*a${level - 1}, *a${level - 1}]`,
).join("\n");

const values: readonly (readonly [name: string, text: string, value: unknown])[] = [
  ["nothing", "# only this\n---\n", null],
  ["booleans of YAML 1.1", "on: off\n", { on: false }],
  ["octal", "mode: 0644\n", { mode: 420 }],
  ["dates stay text", "day: 2001-01-01\n", { day: "2001-01-01" }],
  ["base 60 stays text", "ports: 54:32\n", { ports: "54:32" }],
  ["merge keys", "a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n", { a: { x: 1, y: 2 }, b: { x: 1, y: 3 } }],
  ["unknown tags are passed over", "a: !Ref x\n", { a: "x" }],
  ["JSON with tabs", '{\n\t"a":\t[1]\n}', { a: [1] }],
  ["JSON's surrogate pairs", '{"a":"\\ud83d\\ude00"}', { a: "😀" }],
  ["200 levels are enough", nested(200), JSON.parse(nested(200))],
];

const problems: readonly (readonly [name: string, text: string, message: RegExp, offset: number])[] = [
  ["a key that stands twice", "a: 1\nb: 2\na: 3\n", /key "a" stands here a second time/, 10],
  ["the same in JSON", '{"a": 1, "a": 2}', /key "a" stands here a second time/, 9],
  ["an alias without an anchor", "a: *b\n", /alias \*b has no anchor before it/, 3],
  ["an anchor behind its alias", "a: *b\nb: &b 1\n", /alias \*b has no anchor before it/, 3],
  ["an alias inside of its own anchor", "a: &a {b: [*a]}\n", /alias \*a stands inside/, 11],
  ["a map merged into itself", "a: &a\n  <<: *a\n", /alias \*a stands inside/, 12],
  ["aliases that multiply", bomb, /more than 10000000 values/, 0],
  ["many aliases", `a: &a 1\nb: [${"*a,".repeat(10_001)}]\n`, /more than 10000 aliases/, 30_012],
  ["more than 200 levels", nested(201), /nested deeper than 200 levels/, 0],
  ["far more levels than the stack has room for", nested(100_000), /nested deeper than 200 levels/, -1],
  ["a map as a key", "? {a: 1}\n: 2\n", /keys must be strings/, 2],
  ["a number that JSON has not", "a: .nan\n", /no such number/, 3],
  ["a tab as indentation", "a:\n\tb: 1\n", /[Tt]abs/, 3],
];

describe("reading a document", () => {
  for (const [name, text, value] of values) test(name, () => assert.deepEqual(read(text), value));

  for (const [name, text, message, offset] of problems) {
    test(`refuses ${name}`, () => {
      const parsed = parseDocument(text);
      assert.equal(parsed.kind, "unreadable");
      const [first] = parsed.kind === "unreadable" ? parsed.problems : [];
      assert.match(first?.message ?? "", message);
      if (offset >= 0) assert.equal(first?.offset, offset);
    });
  }

  test("a key that stands twice is told with its first place", () => {
    const parsed = parseDocument("a: 1\nb: 2\na: 3\n");
    assert.equal(parsed.kind === "unreadable" && parsed.problems[0]?.first, 0);
  });

  test("__proto__ is a key like any other", () => {
    const value = read("a: &a\n  __proto__: {polluted: true}\nb:\n  <<: *a\n");
    for (const key of ["a", "b"]) {
      const map = at(value, key) as object;
      assert.deepEqual(Object.keys(map), ["__proto__"]);
      assert.equal(Object.getPrototypeOf(map), Object.prototype);
    }
    assert.equal("polluted" in {}, false);
  });

  test("a wide map is read in linear time", { timeout: 20_000 }, () => {
    const text = Array.from({ length: 50_000 }, (_, index) => `key${index}: x`).join("\n");
    assert.equal(Object.keys(read(text) as object).length, 50_000);
  });
});
