import assert from "node:assert/strict";
import { test } from "node:test";
import { type HbaRule, isReadFrom } from "../../../../src/sidecar/reload/postgres/hba.ts";

const rule = (changes: Partial<HbaRule> = {}): HbaRule => ({
  type: "host",
  databases: ["all"],
  users: ["all"],
  address: "10.0.0.0",
  method: "scram-sha-256",
  ...changes,
});
const LOCAL = rule({ type: "local", address: null, method: "trust" });

const CASES: readonly (readonly [string, readonly string[], readonly HbaRule[], boolean])[] = [
  ["nothing", [], [], true],
  ["comments and empty lines", ["# a", "", "  "], [], true],
  ["a rule", ["host all all 10.0.0.0/8 scram-sha-256"], [rule()], true],
  ["white space, and words after it", ["host\tall  all 10.0.0.0/8 scram-sha-256 # a"], [rule()], true],
  ["a mask of its own", ["host all all 10.0.0.0 255.0.0.0 scram-sha-256"], [rule()], true],
  ["no address", ["local all all trust"], [LOCAL], true],
  ["two", ["local all all trust", "host all all 10.0.0.0/8 scram-sha-256"], [LOCAL, rule()], true],
  ["two in one text", ["local all all trust\nhost all all 10.0.0.0/8 scram-sha-256"], [LOCAL, rule()], true],
  [
    "lists and quotes",
    ['host a,"b c", "d""e" +f all md5'],
    [rule({ databases: ["a", "b c", 'd"e'], users: ["+f"], address: "all", method: "md5" })],
    true,
  ],
  ["another order", ["host all all 10.0.0.0/8 scram-sha-256", "local all all trust"], [LOCAL, rule()], false],
  ["one too many", [], [rule()], false],
  ["one too few", ["local all all trust"], [], false],
  ["another user", ["host all app 10.0.0.0/8 scram-sha-256"], [rule()], false],
  ["another database", ["host app all 10.0.0.0/8 scram-sha-256"], [rule()], false],
  ["another address", ["host all all 10.0.0.1/8 scram-sha-256"], [rule()], false],
  ["another method", ["host all all 10.0.0.0/8 md5"], [rule()], false],
  ["another type", ["hostssl all all 10.0.0.0/8 scram-sha-256"], [rule()], false],
  ["a file that is included", ["include other.conf"], [rule()], false],
];
for (const [what, lines, rules, expected] of CASES) {
  test(`pg_hba of the DCS: ${what}`, () => assert.equal(isReadFrom(lines, rules), expected));
}
