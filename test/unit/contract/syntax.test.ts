import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  cidr,
  cidrs,
  commaList,
  dnsLabel,
  isDnsLabel,
  isLabelValue,
  isServiceName,
  objectName,
  oneOf,
  port,
  ports,
  quantity,
  type Syntax,
  scope,
  serviceName,
} from "../../../src/contract/syntax.ts";

interface Case {
  readonly syntax: Syntax<unknown>;
  readonly accepts: readonly string[];
  readonly refuses: readonly string[];
}

const letters = (count: number) => "a".repeat(count);

/** Texts that are taken as they stand. */
const TEXTS: Readonly<Record<string, Case>> = {
  dnsLabel: {
    syntax: dnsLabel,
    accepts: ["a", "0", "pg-0", "0a", "a--b", letters(63)],
    refuses: ["", "-a", "a-", "A", "a.b", "a_b", "a b", "ä", "a\n", letters(64)],
  },
  serviceName: {
    syntax: serviceName,
    accepts: ["a", "pg-headless", "a0", letters(63)],
    refuses: ["", "0a", "-a", "a-", "A", "a.b", "a\n", letters(64)],
  },
  objectName: {
    syntax: objectName,
    accepts: ["a", "0", "a.b", "my-ca.v2", `${letters(63)}.${letters(63)}`, letters(253)],
    refuses: ["", ".", "a.", ".a", "a..b", "a-.b", "A", "a_b", "a/b", letters(254)],
  },
  scope: {
    syntax: scope,
    accepts: ["a", "0", "My_Cluster.1", "a-b", letters(253)],
    refuses: ["", "-a", "a-", ".a", "a b", "a/b", "ä", "a\n", letters(254)],
  },
  quantity: {
    syntax: quantity,
    accepts: ["1", "50m", "0.1", "64Mi", "1.5Gi", "2k", "100M", "3G", "0.000000001"],
    refuses: [
      "",
      "0",
      "0m",
      "0.0",
      "00.00Mi",
      "-1",
      "+1",
      "1 Mi",
      "1mi",
      "1Ti",
      ".5",
      "5.",
      "1e3",
      "1,5",
      "NaN",
    ],
  },
  cidr: {
    syntax: cidr,
    accepts: ["10.0.0.0/8", "10.0.0.1/32", "0.0.0.0/0", "fd00::/8", "::/0", "2001:db8::1/128"],
    refuses: [
      "",
      "10.0.0.0",
      "10.0.0.0/",
      "10.0.0.0/33",
      "10.0.0/8",
      "fd00::/129",
      "a/8",
      "10.0.0.0/8/8",
      "10.0.0.0/-1",
      "fe80::1%eth0/64",
    ],
  },
};

describe("texts", () => {
  for (const [name, { syntax, accepts, refuses }] of Object.entries(TEXTS)) {
    for (const text of accepts) {
      test(`${name} takes ${JSON.stringify(text.slice(0, 40))} (${text.length})`, () =>
        assert.equal(syntax.read(text), text));
    }
    for (const text of refuses) {
      test(`${name} refuses ${JSON.stringify(text.slice(0, 40))} (${text.length})`, () =>
        assert.equal(syntax.read(text), undefined));
    }
  }
});

describe("values", () => {
  const rows: readonly [name: string, syntax: Syntax<unknown>, text: string, value: unknown][] = [
    ["port", port, "1", 1],
    ["port", port, "65535", 65535],
    ["port", port, "05432", 5432],
    ["port", port, "0", undefined],
    ["port", port, "65536", undefined],
    ["port", port, "-1", undefined],
    ["port", port, "5432 ", undefined],
    ["port", port, "0x10", undefined],
    ["port", port, "1e3", undefined],
    ["port", port, "", undefined],
    ["ports", ports, "", []],
    ["ports", ports, "1", [1]],
    ["ports", ports, " 1 , 2,,3 ", [1, 2, 3]],
    ["ports", ports, "1,x", undefined],
    ["ports", ports, "1;2", undefined],
    ["cidrs", cidrs, "10.0.0.0/8, fd00::/8", ["10.0.0.0/8", "fd00::/8"]],
    ["cidrs", cidrs, "10.0.0.0/8,10.0.0.1", undefined],
    ["oneOf", oneOf("on", "off"), "on", "on"],
    ["oneOf", oneOf("on", "off"), "On", undefined],
    ["oneOf", oneOf("on", "off"), "", undefined],
    ["oneOf", oneOf("on", "off"), "constructor", undefined],
  ];
  for (const [name, syntax, text, value] of rows) {
    test(`${name} reads ${JSON.stringify(text)} as ${JSON.stringify(value) ?? "refused"}`, () =>
      assert.deepEqual(syntax.read(text), value));
  }

  test("what is allowed is told in words", () => {
    assert.equal(oneOf("on", "off").allowed, '"on" or "off"');
    assert.equal(ports.allowed, "ports from 1 to 65535, separated by commas");
    assert.equal(cidrs.allowed, "address ranges such as 10.0.0.0/8, separated by commas");
  });
});

describe("label values", () => {
  const rows: readonly [text: string, allowed: boolean][] = [
    ["a", true],
    ["A_b.c-1", true],
    [letters(63), true],
    ["", false],
    ["-a", false],
    ["a-", false],
    ["a/b", false],
    [letters(64), false],
  ];
  for (const [text, allowed] of rows) {
    test(`${JSON.stringify(text.slice(0, 20))} (${text.length}) is ${allowed ? "one" : "none"}`, () =>
      assert.equal(isLabelValue(text), allowed));
  }
});

test("a DNS label may start with a digit, the name of a Service may not", () => {
  assert.equal(isDnsLabel("0a"), true);
  assert.equal(isServiceName("0a"), false);
});

test("a list of commas: white space and empty entries do not count", () => {
  assert.deepEqual(commaList(" a, ,b ,,c "), ["a", "b", "c"]);
  assert.deepEqual(commaList(""), []);
});
