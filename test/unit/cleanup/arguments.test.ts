import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseArguments } from "../../../src/cleanup/arguments.ts";
import { table } from "../../../src/cleanup/row.ts";

const ROWS: readonly [argv: string, kind: string][] = [
  ["--all-namespaces", "run"],
  ["-n db -n shop --dry-run", "run"],
  ["-A --leave-selector --kubeconfig x", "run"],
  ["--help", "help"],
  ["", "usage"],
  ["-A -n db", "usage"],
  ["-n=", "run"],
  ["--namespace=", "usage"],
  ["--everything", "usage"],
  ["db", "usage"],
];

describe("the command line", () => {
  for (const [argv, kind] of ROWS) {
    it(`${argv || "(nothing)"}: ${kind}`, () =>
      assert.equal(parseArguments(argv.split(" ").filter((word) => word !== "")).kind, kind));
  }
});

it("says in a table what was done, or that there is nothing", () => {
  const row = { namespace: "db", cluster: "pg", object: "roles/x", done: "removed", open: false };
  assert.equal(table([row]), "NAMESPACE  CLUSTER  OBJECT   RESULT\ndb         pg       roles/x  removed\n");
  assert.match(table([]), /^Nothing/);
});
