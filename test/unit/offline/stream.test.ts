import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { splitStream } from "../../../src/offline/stream.ts";

const BOM = "\uFEFF";

const cases: readonly (readonly [name: string, slices: readonly string[]])[] = [
  ["nothing", []],
  ["one document without a marker", ["a: 1\n"]],
  ["no line break at the end", ["a: 1\n", "---\nb: 2"]],
  ["comments in front belong to the first document", ["# about\n---\na: 1\n", "---\nb: 2\n"]],
  ["comments between documents stay with the one before", ["---\na: 1\n# about b\n", "---\nb: 2\n"]],
  ["empty documents count", ["---\n", "---\n# only this\n", "---\na: 1\n"]],
  ["content behind the marker", ["--- a\n", "--- {b: 1}\n"]],
  ["a marker in the first column ends a block scalar", ["a: |\n  ---\n  x\n", "---\nb: 2\n"]],
  ["what only looks like a marker", ["----\na: ---\n ---\n---x\n"]],
  ["an end marker, then a bare document", ["a: 1\n...\n", "b: 2\n"]],
  ["directives belong to the document that follows", ["a: 1\n...\n", "%YAML 1.1\n# c\n---\nb: 2\n"]],
  ["a comment behind the last end marker", ["a: 1\n...\n# end\n"]],
  ["Windows line breaks", ["a: 1\r\n", "---\r\nb: 2\r\n...\r\n"]],
  ["byte order mark", [`${BOM}---\na: 1\n`, "---\nb: 2\n"]],
  ["only comments", ["# nothing\n\n"]],
  ["JSON values one after the other", ['{"a":1}', '\n{"b":"}"}', ' [1, "\\"]"]\n']],
  ["JSON with a byte order mark", [`${BOM}{"a":1}\n`]],
  ["braces that are YAML", ["{a: 1}\n", "---\n{b: 2}\n"]],
  ["JSON, then a marker", ['{"a":1}\n', '---\n{"b":2}\n']],
  ["unfinished JSON", ['{"a":\n']],
];

describe("documents of a file", () => {
  for (const [name, slices] of cases) {
    test(name, () => assert.deepEqual(splitStream(slices.join("")), slices));
  }

  test("no character is lost or moved, whatever the text is", () => {
    const piece = fc.constantFrom(
      "---",
      "...",
      "\n",
      "\r\n",
      " ",
      "#",
      "%YAML 1.2",
      "a: 1",
      "{",
      "}",
      '"',
      "[1]",
      "|",
      BOM,
      "\t",
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join("")),
      fc.string({ unit: "binary" }),
    );
    fc.assert(fc.property(text, (whole) => assert.equal(splitStream(whole).join(""), whole)));
  });
});
