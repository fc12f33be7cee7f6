import assert from "node:assert/strict";
import { test } from "node:test";
import { compareParameters, type Written } from "../../../../src/sidecar/reload/postgres/parameters.ts";
import {
  isOutOfRange,
  isSameValue,
  type ParameterKind,
} from "../../../../src/sidecar/reload/postgres/values.ts";

const kind = (vartype: string, unit?: string, least?: number, most?: number): ParameterKind => ({
  vartype,
  unit,
  least,
  most,
});
const KB = kind("integer", "kB", 64, 2 ** 31 - 1);
const PAGES = kind("integer", "8kB");
const MS = kind("real", "ms");
const BOOL = kind("bool");
const ENUM = kind("enum");

const VALUES: readonly (readonly [string, string, ParameterKind, boolean])[] = [
  ["8MB", "8192kB", KB, true],
  ["8MB", "8192", KB, true],
  ["8MB", " 8 MB ", KB, true],
  ["8MB", "8mb", KB, false],
  ["8MB", "8000kB", KB, false],
  ["1GB", "131072", PAGES, true],
  ["1.5GB", "1536MB", KB, true],
  ["0x10", "16", KB, true],
  ["1e3", "1000", KB, true],
  ["7", "7ms", KB, false],
  ["garbage", "8MB", KB, false],
  ["2min", "120s", kind("integer", "s"), true],
  ["1d", "1440", kind("integer", "min"), true],
  ["1.5s", "1500", MS, true],
  ["100us", "0.1", MS, true],
  ["1.0", "1", kind("real"), true],
  ["on", "TRUE", BOOL, true],
  ["y", "1", BOOL, true],
  ["of", "No", BOOL, true],
  ["on", "off", BOOL, false],
  ["o", "on", BOOL, false],
  ["WARNING", "warning", ENUM, true],
  ["true", "on", ENUM, true],
  ["pglz", "lz4", ENUM, false],
  ["a, b", "a,b", kind("string"), false],
  ["A", "a", kind("string"), false],
];
for (const [one, other, of, expected] of VALUES) {
  test(`${JSON.stringify(one)} and ${JSON.stringify(other)}, ${of.vartype} in ${of.unit ?? "nothing"}`, () => {
    assert.equal(isSameValue(one, other, of), expected);
    assert.equal(isSameValue(other, one, of), expected);
  });
}

test("what is out of range is a number, in whatever unit", () => {
  assert.ok(isOutOfRange("1kB", KB));
  assert.ok(isOutOfRange("3TB", KB));
  assert.ok(!isOutOfRange("64", KB));
  assert.ok(!isOutOfRange("garbage", KB));
  assert.ok(!isOutOfRange("3TB", kind("string")));
});

const entry = (name: string, value: string, of = kind("string"), byPatroni = true): Written => ({
  name,
  value,
  byPatroni,
  ...of,
});

/** What the DCS says, what is written, and what of it is a fault or decided elsewhere. */
const CASES: readonly (readonly [
  string,
  object,
  readonly Written[],
  readonly RegExp[],
  readonly RegExp[],
])[] = [
  ["nothing", {}, [entry("a", "1")], [], []],
  ["as it is asked for", { a: "1" }, [entry("a", "1")], [], []],
  ["a name in another case", { DateStyle: "ISO" }, [entry("datestyle", "ISO")], [], []],
  ["taken away", { a: null }, [], [], []],
  ["a number of a placeholder", { "a.b": 1 }, [entry("a.b", "1.0")], [], []],
  ["zero is not empty", { a: 0 }, [entry("a", "")], [], [/^a: Patroni writes another/]],
  ["True, as Python says", { a: true }, [entry("a", "True", BOOL)], [], []],
  ["missing", { a: "1" }, [], [/^Patroni leaves a out/], []],
  ["written by another file only", { a: "1" }, [entry("a", "1", KB, false)], [/^Patroni leaves a out/], []],
  ["clamped", { a: 1 }, [entry("a", "64", KB)], [/^Patroni does not take this value of a/], []],
  ["the member's own", { a: "1MB" }, [entry("a", "2MB", KB)], [], [/^a: Patroni writes another/]],
  [
    "ALTER SYSTEM",
    { a: "1MB" },
    [entry("a", "1MB", KB), entry("a", "2MB", KB, false)],
    [],
    [/^a: ALTER SYSTEM/],
  ],
  ["ALTER SYSTEM, the same", { a: "1MB" }, [entry("a", "1MB", KB), entry("a", "1024", KB, false)], [], []],
  ["an included file before", { a: "1MB" }, [entry("a", "2MB", KB, false), entry("a", "1MB", KB)], [], []],
  ["Patroni's own", { port: 1 }, [entry("port", "5432")], [], [/^port: Patroni decides/]],
  ["Patroni's own, the same", { wal_level: "logical" }, [entry("wal_level", "logical", ENUM)], [], []],
  ["Patroni's own, not written", { restore_command: "x" }, [], [], [/^restore_command: Patroni decides/]],
  [
    "of the DCS alone",
    { max_connections: 5 },
    [entry("max_connections", "100", kind("integer", undefined, 1))],
    [/this value of max_connections/],
    [],
  ],
  ["gone", { old_snapshot_threshold: -1 }, [], [], [/^old_snapshot_threshold: PostgreSQL 17 does not/]],
  ["to go yet", { ssl_ecdh_curve: "x" }, [], [/^Patroni leaves ssl_ecdh_curve out/], []],
  ["a list", { a: ["x"] }, [entry("a", "['x']")], [], [/^a: Patroni writes another/]],
];
for (const [what, wanted, written, faults, unverified] of CASES) {
  test(`parameters of the DCS: ${what}`, () => {
    const found = compareParameters(wanted as Parameters<typeof compareParameters>[0], written, 17);
    for (const [texts, patterns] of [
      [found.faults, faults],
      [found.unverified, unverified],
    ] as const) {
      assert.equal(texts.length, patterns.length, JSON.stringify(found));
      for (const [index, pattern] of patterns.entries()) assert.match(texts[index] ?? "", pattern);
    }
  });
}
