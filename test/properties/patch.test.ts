import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import jsonPatch, { type Operation } from "fast-json-patch";
import { patchBetween } from "../../src/injection/patch.ts";
import type { Json, JsonObject } from "../../src/json/value.ts";
import { runs } from "./runs.ts";

const key = fc.oneof(
  fc.constantFrom("a", "b/c", "~d", "", "0", "name"),
  fc.string({ maxLength: 3 }).filter((name) => name !== "__proto__" && name !== "constructor"),
);

const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.constantFrom<Json>(null, 1, 2, "x", "y", true),
    fc.array(tie("value"), { maxLength: 6 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const object = fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true });

/** What a reader of RFC 6902 who knows nothing of us makes of the patch. */
const applied = (before: JsonObject, after: JsonObject): JsonObject =>
  jsonPatch.applyPatch(
    structuredClone(before),
    structuredClone(patchBetween(before, after)) as Operation[],
    true,
  ).newDocument;

test("the patch between any two objects gives exactly the second, and leaves the first alone", () =>
  fc.assert(
    fc.property(object, object, (before, after) => {
      const text = JSON.stringify(before);
      assert.deepEqual(applied(before, after), after);
      assert.equal(JSON.stringify(before), text);
    }),
    runs(500),
  ));

test("entries put into a list, or taken out of it, in one place leave the others alone", () =>
  fc.assert(
    fc.property(
      fc.array(value, { maxLength: 8 }),
      fc.nat(8),
      fc.nat(4),
      fc.array(value, { maxLength: 4 }),
      (list, at, removed, added) => {
        const edited = list.toSpliced(at, removed, ...added);
        assert.deepEqual(applied({ list }, { list: edited }), { list: edited });
        const operations = patchBetween({ list }, { list: edited });
        const onEntries = operations.filter(({ path }) => path.split("/").length === 3);
        assert.ok(onEntries.length <= Math.max(removed, added.length), JSON.stringify(operations));
      },
    ),
    runs(500),
  ));
