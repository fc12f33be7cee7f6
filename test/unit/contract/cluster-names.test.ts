import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  clusterLabelValue,
  headlessServiceName,
  primaryServiceName,
} from "../../../src/contract/cluster-names.ts";
import { isLabelValue, isServiceName } from "../../../src/contract/syntax.ts";

interface Row {
  readonly scope: string;
  readonly label: string | RegExp;
  readonly headless: string | RegExp;
}

const HASH = "[0-9a-f]{10}";
const long = "a".repeat(63);

const ROWS: readonly Row[] = [
  { scope: "pg", label: "pg", headless: "pg-headless" },
  { scope: "a".repeat(54), label: "a".repeat(54), headless: `${"a".repeat(54)}-headless` },
  { scope: "a".repeat(55), label: "a".repeat(55), headless: new RegExp(`^a{43}-${HASH}-headless$`) },
  { scope: long, label: long, headless: new RegExp(`^a{43}-${HASH}-headless$`) },
  {
    scope: `${long}b`,
    label: new RegExp(`^a{52}-${HASH}$`),
    headless: new RegExp(`^a{43}-${HASH}-headless$`),
  },
  { scope: "My_Cluster.1", label: "My_Cluster.1", headless: new RegExp(`^my-cluster-1-${HASH}-headless$`) },
  { scope: "1pg", label: "1pg", headless: new RegExp(`^pg-${HASH}-headless$`) },
  { scope: "123", label: "123", headless: new RegExp(`^cluster-${HASH}-headless$`) },
  {
    scope: "pg/main",
    label: new RegExp(`^pg-main-${HASH}$`),
    headless: new RegExp(`^pg-main-${HASH}-headless$`),
  },
  {
    scope: "Überbank",
    label: new RegExp(`^berbank-${HASH}$`),
    headless: new RegExp(`^berbank-${HASH}-headless$`),
  },
  {
    scope: "数据库",
    label: new RegExp(`^cluster-${HASH}$`),
    headless: new RegExp(`^cluster-${HASH}-headless$`),
  },
  { scope: "-", label: new RegExp(`^cluster-${HASH}$`), headless: new RegExp(`^cluster-${HASH}-headless$`) },
  {
    scope: `${"-".repeat(70)}a`,
    label: new RegExp(`^cluster-${HASH}$`),
    headless: new RegExp(`^cluster-${HASH}-headless$`),
  },
  {
    scope: `${"a-".repeat(40)}a`, // the cut falls on a dash
    label: new RegExp(`^(a-){26}${HASH}$`),
    headless: new RegExp(`^(a-){21}a-${HASH}-headless$`),
  },
];

const matches = (actual: string, expected: string | RegExp) =>
  typeof expected === "string" ? assert.equal(actual, expected) : assert.match(actual, expected);

describe("names that follow from a scope", () => {
  for (const { scope, label, headless } of ROWS) {
    test(`${scope.slice(0, 30)} (${scope.length})`, () => {
      matches(clusterLabelValue(scope), label);
      matches(headlessServiceName(scope), headless);
      assert.ok(isLabelValue(clusterLabelValue(scope)));
      assert.ok(isServiceName(headlessServiceName(scope)));
      assert.ok(isServiceName(primaryServiceName(scope)));
      assert.ok(primaryServiceName(scope).endsWith("-primary"));
    });
  }

  test("the same scope gives the same name, for ever", () => {
    assert.equal(headlessServiceName("My_Cluster"), "my-cluster-c49d15d92c-headless");
  });

  test("two scopes that look alike give two names", () => {
    const alike = ["a".repeat(70), "a".repeat(71), "a/b", "a b", "a_b/", "A/b", "数据库", "数据"];
    assert.equal(new Set(alike.map(clusterLabelValue)).size, alike.length);
    assert.equal(new Set(alike.map(headlessServiceName)).size, alike.length);
  });
});
