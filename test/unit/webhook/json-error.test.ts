import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseJson } from "../../../src/webhook/json.ts";
import { jsonErrorOffset } from "../../../src/webhook/json-error.ts";

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe("the place of a mistake in JSON", () => {
  const ROWS: readonly (readonly [string, number | undefined])[] = [
    ['{"a": [1, -2.5e+3, true, null, "\\u00e9\\n"]}', undefined],
    [" \t\r\n[] ", undefined],
    ["", 0],
    ["{", 1],
    ['{"a"', 4],
    ['{"a":', 5],
    ['{"a":x}', 5],
    ['{"a":1,}', 7],
    ["[1,]", 3],
    ["[1 2]", 3],
    ["[1}", 2],
    ["{}{}", 2],
    ["01", 1],
    ["-", 0],
    ["nul", 0],
    ['"a\nb"', 2],
    ['"\\x"', 1],
    ['"open', 5],
    ["{1: 2}", 1],
    ["\ufeff{}", 0],
    ["NaN", 0],
  ];
  for (const [text, offset] of ROWS) {
    it(JSON.stringify(text), () => assert.equal(jsonErrorOffset(text), offset));
  }

  it("is found exactly where JSON.parse refuses, however a text was broken", () => {
    const broken = fc
      .tuple(
        fc.json({ maxDepth: 4 }),
        fc.nat(),
        fc.nat(3),
        fc.constantFrom("", "{", "]", ",", '"', "\\", "0", ":", "\n", "e"),
      )
      .map(([text, at, cut, put]) => {
        const start = at % (text.length + 1);
        return text.slice(0, start) + put + text.slice(start + cut);
      });
    fc.assert(
      fc.property(broken, (text) => {
        const offset = jsonErrorOffset(text);
        assert.equal(offset === undefined, isJson(text));
      }),
      { numRuns: 2000 },
    );
  });

  it("never blames a character before which the text could still become JSON", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.nat(), (text, at) => {
        const prefix = text.slice(0, at % (text.length + 1));
        const offset = jsonErrorOffset(prefix);
        // A number or a literal that is cut in two is blamed at its beginning, anything else at the end.
        assert.ok(
          offset === undefined ||
            /^[-+.\w]*$/.test(prefix.slice(offset)) ||
            prefix.slice(offset).startsWith("\\"),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it("is found at any depth", () => {
    assert.equal(jsonErrorOffset("[".repeat(1_000_000)), 1_000_000);
  });
});

describe("parsing a body", () => {
  it("gives the value", () => assert.deepEqual(parseJson('{"a":1}'), { value: { a: 1 } }));
  it("says line and column of a mistake, and nothing of the body", () =>
    assert.deepEqual(parseJson('{\n  "password": hunter2\n}'), { problem: "mistake at line 2, column 15" }));
  it("says where it ends too early", () =>
    assert.deepEqual(parseJson('{"a":'), { problem: "it ends too early, at line 1, column 6" }));
});
