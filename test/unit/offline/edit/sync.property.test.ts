import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { stringify } from "yaml";
import { sameJson } from "../../../../src/json/same.ts";
import type { Json, JsonObject } from "../../../../src/json/value.ts";
import { sync } from "../../../../src/offline/edit/sync.ts";
import { parseDocument } from "../../../../src/offline/parse.ts";
import { onlyThorough } from "../../../support/thorough.ts";

const RUNS = { numRuns: onlyThorough ? 50 : 1000 };

const key = fc.oneof(
  fc.constantFrom("name", "<<", "env", "labels", "on", "1", "__proto__", "a.b/c", "x y", "# c", "- d", ""),
  fc.string({ maxLength: 6 }),
);
const scalar: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(
    "yes",
    "0644",
    "<<",
    "1e3",
    "12:30",
    "a: b",
    "one\ntwo\n",
    "one\n\n two",
    " x ",
    "\n",
    "a\n\n",
    "",
    null,
  ),
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.lorem({ maxCount: 30 }),
  fc.integer(),
  fc.boolean(),
);
const { value } = fc.letrec<{ value: Json; list: Json; map: Json }>((tie) => ({
  value: fc.oneof({ depthSize: "small" }, scalar, tie("map"), tie("list")),
  list: fc.array(tie("value"), { maxLength: 4 }),
  map: fc.dictionary(key, tie("value"), { maxKeys: 5, noNullPrototype: true }) as fc.Arbitrary<Json>,
}));
const root = fc.dictionary(key, value, {
  minKeys: 1,
  maxKeys: 5,
  noNullPrototype: true,
}) as fc.Arbitrary<JsonObject>;

/** The same value with some of its parts changed, as an injection changes a pod: most of it stays. */
function changed(before: Json): fc.Arbitrary<Json> {
  if (Array.isArray(before)) {
    return fc
      .tuple(
        fc.tuple(
          ...before.map((entry) =>
            fc.oneof(
              { weight: 4, arbitrary: fc.constant(entry) },
              { weight: 2, arbitrary: changed(entry) },
              { weight: 1, arbitrary: fc.constant(undefined) },
            ),
          ),
        ),
        fc.array(value, { maxLength: 1 }),
        fc.nat(before.length),
      )
      .map(([kept, added, at]) => kept.toSpliced(at, 0, ...added).filter((entry) => entry !== undefined));
  }
  if (typeof before === "object" && before !== null) {
    return fc
      .tuple(
        fc.tuple(
          ...Object.entries(before).map(([name, entry]) =>
            fc.oneof(
              { weight: 4, arbitrary: fc.constant([name, entry]) },
              { weight: 2, arbitrary: changed(entry ?? null).map((to) => [name, to]) },
              { weight: 1, arbitrary: fc.constant(undefined) },
            ),
          ),
        ),
        fc.array(fc.tuple(key, value), { maxLength: 2 }),
        fc.nat(5),
      )
      .map(([kept, added, at]) =>
        Object.fromEntries(
          kept.toSpliced(at, 0, ...added).filter((entry) => entry !== undefined) as [string, Json][],
        ),
      );
  }
  return fc.oneof(fc.constant(before), value);
}

/** The ways in which people and tools write the same manifest. */
const printers: Record<string, (value: Json) => string> = {
  "block style": (it) => stringify(it, { version: "1.1" }),
  "lists in the column of their key": (it) => stringify(it, { version: "1.1", indentSeq: false, indent: 4 }),
  "single quotes, folded": (it) => stringify(it, { version: "1.1", singleQuote: true, lineWidth: 30 }),
  "Windows line breaks": (it) => stringify(it, { version: "1.1" }).replaceAll("\n", "\r\n"),
  "flow style": (it) => stringify(it, { version: "1.1", collectionStyle: "flow" }),
  "JSON for people": (it) => `${JSON.stringify(it, null, 2)}\n`,
  "JSON with tabs": (it) => `${JSON.stringify(it, null, "\t")}\n`,
  "JSON for machines": (it) => JSON.stringify(it),
  "no line break at the end": (it) => stringify(it, { version: "1.1" }).trimEnd(),
  "a marker in front": (it) => `# about\n---\n${stringify(it, { version: "1.1" })}# behind\n...\n`,
};

/** White space that no printer writes: it goes if the document is written anew instead of being edited. */
const ODD = /apiVersion"?: {3}"?v1/;
const withOddity = (text: string): string => text.replace(/(apiVersion"?:) ?/, "$1   ");

function read(text: string): Json {
  const parsed = parseDocument(text);
  assert.equal(parsed.kind, "read", JSON.stringify(parsed));
  return parsed.kind === "read" ? parsed.value : null;
}

describe("a text that was synchronised", () => {
  for (const [style, print] of Object.entries(printers)) {
    test(`reads as wanted, and was edited in place: ${style}`, () => {
      fc.assert(
        fc.property(
          root.chain((before) => fc.tuple(fc.constant(before), changed(before))),
          ([before, after]) => {
            const text = withOddity(print({ apiVersion: "v1", ...before }));
            const wanted = { apiVersion: "v1", ...(after as JsonObject) };
            const parsed = parseDocument(text);
            fc.pre(parsed.kind === "read" && sameJson(parsed.value, { apiVersion: "v1", ...before }));
            const result = sync(text, wanted);
            assert.deepEqual(read(result), wanted);
            assert.match(result, ODD);
          },
        ),
        RUNS,
      );
    });
  }

  test("reads as wanted where parts are shared through anchors", () => {
    const shared = root.chain((part) =>
      fc.tuple(fc.constant(part), changed(part), changed(part), changed(part), fc.boolean()),
    );
    fc.assert(
      fc.property(shared, ([part, first, second, third, isFlow]) => {
        const document = { apiVersion: "v1", first: part, second: part, list: [{ name: "x", part }] };
        const text = withOddity(
          stringify(document, { version: "1.1", collectionStyle: isFlow ? "flow" : "any" }),
        );
        const parsed = parseDocument(text);
        fc.pre(text.includes("*a1") && parsed.kind === "read" && sameJson(parsed.value, document));
        const wanted = { apiVersion: "v1", first, second, list: [{ name: "x", part: third }] };
        assert.deepEqual(read(sync(text, wanted)), wanted);
        assert.match(sync(text, { ...document, second }), ODD);
      }),
      RUNS,
    );
  });
});
