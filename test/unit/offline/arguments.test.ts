import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseArguments } from "../../../src/offline/arguments.ts";

const accepted: readonly (readonly [argv: readonly string[], wanted: object])[] = [
  [
    ["-f", "a.yaml"],
    { files: ["a.yaml"], diff: false, output: undefined, config: undefined, namespace: undefined },
  ],
  [["-f", "a", "-f", "-", "--filename=b"], { files: ["a", "-", "b"] }],
  [["-f", "a", "--diff"], { diff: true }],
  [
    ["-f", "a", "-o", "json", "-n", "db", "--config", "c.yaml"],
    { output: "json", namespace: "db", config: "c.yaml" },
  ],
];

const refused: readonly (readonly [argv: readonly string[], message: RegExp])[] = [
  [[], /nothing to read/],
  [["a.yaml"], /positional/],
  [["-f"], /argument missing/],
  [["-f", ""], /name of a file/],
  [["-f", "-", "-f", "-"], /only once/],
  [["-f", "a", "--output", "toml"], /yaml or json, not "toml"/],
  [["-f", "a", "--diff", "-o", "yaml"], /exclude each other/],
  [["-f", "a", "--namespace", ""], /needs a name/],
  [["-f", "a", "--dry-run"], /--dry-run/],
];

describe("the command line of inject", () => {
  for (const [argv, wanted] of accepted) {
    test(argv.join(" "), () => {
      const request = parseArguments(argv);
      assert.equal(request.kind, "run");
      if (request.kind === "run") assert.deepEqual({ ...request.arguments, ...wanted }, request.arguments);
    });
  }
  for (const [argv, message] of refused) {
    test(`refused: ${argv.join(" ") || "nothing"}`, () => {
      const request = parseArguments(argv);
      assert.equal(request.kind, "usage");
      if (request.kind === "usage") assert.match(request.message, message);
    });
  }
  test("help comes before everything else", () => {
    assert.deepEqual(parseArguments(["-h", "-o", "toml"]), { kind: "help" });
  });
});
