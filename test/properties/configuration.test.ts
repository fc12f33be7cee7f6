import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { parse, stringify } from "yaml";
import { mergeConnectAddresses, readConnectAddresses } from "../../src/patroni/configuration.ts";
import { runs } from "./runs.ts";

const OURS = {
  postgres: "$(PATRONI_INJECTOR_POD_NAME).a.b.svc:5432",
  restApi: "$(PATRONI_INJECTOR_POD_NAME).a.b.svc:8008",
};
const never = () => false;

/** Scalars that YAML 1.1 and 1.2 read differently, and texts that need quotes, are frequent. */
const scalar = fc.oneof(
  fc.constantFrom(
    "on",
    "no",
    "0755",
    "1:30",
    "1e3",
    "~",
    "null",
    "",
    "yes",
    "#x",
    "a: b",
    "- c",
    "'",
    "*x",
    "&y",
    "!t",
    "%",
    "@",
    "\t",
    "a\nb\n",
    " lead",
    "trail ",
  ),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.constantFrom(true, false, null, 0, 1.5, -1),
);
const key = fc.oneof(
  fc.constantFrom("listen", "parameters", "a b", "on", "1", "<"),
  fc.stringMatching(/^[a-z_]{1,8}$/),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const section = fc.dictionary(
  key.filter((name) => name !== "connect_address"),
  value,
  { maxKeys: 4, noNullPrototype: true },
);

/** Configurations without connect addresses. */
const configuration = fc
  .record(
    { postgresql: section, restapi: section, bootstrap: section, scope: scalar },
    { requiredKeys: [], noNullPrototype: true },
  )
  .map((its) => its as Record<string, Record<string, unknown>>);

const withAddresses = (its: Record<string, Record<string, unknown>>) => ({
  ...its,
  postgresql: { ...its.postgresql, connect_address: OURS.postgres },
  restapi: { ...its.restapi, connect_address: OURS.restApi },
});

function merged(text: string): string {
  const result = mergeConnectAddresses(text, OURS, never);
  assert.equal(result.kind, "merged", JSON.stringify(result));
  return result.kind === "merged" ? result.text : assert.fail();
}

describe("merging into any configuration adds the addresses and changes nothing else", () => {
  test("as JSON, with any white space", () =>
    fc.assert(
      fc.property(configuration, fc.constantFrom(0, 2), (its, indent) => {
        const text = JSON.stringify(its, null, indent);
        const before = JSON.parse(text);
        assert.deepEqual(JSON.parse(merged(text)), withAddresses(before));
      }),
      runs(100),
    ));

  for (const version of ["1.1", "1.2"] as const) {
    test(`as YAML ${version}, in any style`, () =>
      fc.assert(
        fc.property(
          configuration,
          fc.constantFrom("BLOCK", "FLOW", "any"),
          fc.constantFrom("PLAIN", "QUOTE_SINGLE", "QUOTE_DOUBLE", "BLOCK_LITERAL"),
          (its, collections, defaultStringType) => {
            const collectionStyle =
              collections === "any" ? "any" : (collections.toLowerCase() as "block" | "flow");
            const text = stringify(its, {
              version,
              collectionStyle,
              defaultStringType,
              defaultKeyType: "PLAIN",
            });
            const read = (it: string) => parse(it, { version, merge: false });
            fc.pre(isDeepStrictEqual(read(text), JSON.parse(JSON.stringify(its)))); // the writer has its limits
            assert.deepEqual(read(merged(text)), withAddresses(read(text)));
          },
        ),
        runs(100),
      ));
  }
});

test("merging twice is merging once, and reading finds what was written", () =>
  fc.assert(
    fc.property(configuration, fc.boolean(), (its, json) => {
      const once = merged(json ? JSON.stringify(its) : stringify(its));
      assert.deepEqual(readConnectAddresses(once), OURS);
      const twice = mergeConnectAddresses(once, OURS, (address) => address.includes("$("));
      assert.deepEqual(twice, { kind: "merged", text: once, kept: [] });
    }),
    runs(100),
  ));

test("any text at all: merged with, or told why not in one line", () =>
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ maxLength: 200 }),
        fc
          .array(
            fc.constantFrom(
              "a",
              ":",
              " ",
              "\n",
              "- ",
              "{",
              "}",
              "[",
              "]",
              '"',
              "'",
              "&x",
              "*x",
              "<<",
              "|",
              ">",
              "#",
              "?",
              "!!map",
              "%",
              "postgresql",
              "connect_address",
              "---",
              ",",
            ),
            { maxLength: 40 },
          )
          .map((parts) => parts.join("")),
      ),
      (text) => {
        const result = mergeConnectAddresses(text, OURS, never);
        if (result.kind === "unreadable") assert.match(result.why, /^[^\n]{5,}$/);
        else assert.equal(mergeConnectAddresses(result.text, OURS, never).kind, "merged");
        readConnectAddresses(text);
      },
    ),
    runs(500),
  ));
