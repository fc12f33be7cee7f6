import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { mergeConnectAddresses, readConnectAddresses } from "../../../src/patroni/configuration.ts";
import { cpuTimeMs } from "../../support/cpu-time.ts";
import { onlyThorough } from "../../support/thorough.ts";

const OURS = {
  postgres: "db-0.pg-headless.ns.svc.cluster.local:5432",
  restApi: "db-0.pg-headless.ns.svc.cluster.local:8008",
};
const SECTIONS = `postgresql:\n  connect_address: ${OURS.postgres}\nrestapi:\n  connect_address: ${OURS.restApi}`;
const never = () => false;

const merged = (text: string, replaces: (address: string) => boolean = never) => {
  const result = mergeConnectAddresses(text, OURS, replaces);
  assert.equal(result.kind, "merged", JSON.stringify(result));
  return result.kind === "merged" ? result : assert.fail();
};
const refused = (text: string) => {
  const result = mergeConnectAddresses(text, OURS, never);
  return result.kind === "unreadable" ? result.why : assert.fail(`merged: ${result.text}`);
};

/** As PyYAML reads it: YAML 1.1, with merge keys. */
const read = (text: string): unknown => parse(text, { version: "1.1", logLevel: "error" });

describe("texts, exactly as they come out", () => {
  const rows: readonly [name: string, text: string, expected: string][] = [
    ["nothing", "", SECTIONS],
    ["white space", "  \n", `${SECTIONS}\n`],
    ["null", "null", SECTIONS],
    ["only a comment", "# mine\n", `# mine\n\n${SECTIONS}\n`],
    ["only a document marker", "---\n", `---\n${SECTIONS}\n`],
    [
      "an empty JSON object",
      "{}",
      `{"postgresql":{"connect_address":"${OURS.postgres}"},"restapi":{"connect_address":"${OURS.restApi}"}}`,
    ],
    [
      "JSON as an operator generates it stays on one line, to the letter",
      `{"postgresql":{"bin_dir":"/usr/lib","n":1.5},"z":null}`,
      `{"postgresql":{"bin_dir":"/usr/lib","n":1.5,"connect_address":"${OURS.postgres}"},"z":null,"restapi":{"connect_address":"${OURS.restApi}"}}`,
    ],
    [
      "JSON whose numbers would be told otherwise keeps them",
      `{"n":1.50,"m":12345678901234567890}`,
      `{ "n": 1.50, "m": 12345678901234567890, "postgresql": { "connect_address": "${OURS.postgres}" }, "restapi": { "connect_address": "${OURS.restApi}" } }`,
    ],
    ["a final line break stays", "a: 1\n", `a: 1\n${SECTIONS}\n`],
    ["no final line break stays so", "a: 1", `a: 1\n${SECTIONS}`],
    ["empty sections", "postgresql:\nrestapi: ~\n", `${SECTIONS}\n`],
    ["an empty address", "postgresql:\n  connect_address: ''\n", `${SECTIONS}\n`],
    [
      "comments stay; one beside a section stands in it",
      "# top\nscope: pg # name\npostgresql: # db\n  # port\n  port: 5432\n# end\n",
      `# top\nscope: pg # name\npostgresql:\n  # db\n  # port\n  port: 5432\n  connect_address: ${OURS.postgres}\nrestapi:\n  connect_address: ${OURS.restApi}\n\n# end\n`,
    ],
    [
      "what YAML 1.1 and 1.2 read differently stays as written",
      "mode: 0755\nflag: on\nother: no\ntime: 1:30\nver: 1.10\nexp: 1e3\nnone: ~\nempty:\n",
      `mode: 0755\nflag: on\nother: no\ntime: 1:30\nver: 1.10\nexp: 1e3\nnone: ~\nempty:\n${SECTIONS}\n`,
    ],
    [
      "quotes, block scalars, tags and aliases stay",
      "a: 'it''s'\nb: \"x\\ty\"\nc: |\n  one\n  two\nd: !!int \"3\"\ne: &x [ 1 ]\nf: *x\n",
      `a: 'it''s'\nb: "x\\ty"\nc: |\n  one\n  two\nd: !!int "3"\ne: &x [ 1 ]\nf: *x\n${SECTIONS}\n`,
    ],
    [
      "one section there already",
      "restapi:\n  listen: 0.0.0.0:8008\n",
      `restapi:\n  listen: 0.0.0.0:8008\n  connect_address: ${OURS.restApi}\npostgresql:\n  connect_address: ${OURS.postgres}\n`,
    ],
    [
      "directives and the end marker",
      "%YAML 1.1\n---\na: 0755\n...\n",
      `%YAML 1.1\n---\na: 0755\n${SECTIONS}\n...\n`,
    ],
  ];
  for (const [name, text, expected] of rows) {
    test(name, () => assert.equal(merged(text).text, expected));
  }
});

describe("everything else in the text keeps its meaning", () => {
  const rows: readonly [name: string, text: string][] = [
    [
      "Zalando's JSON",
      '{"postgresql":{"bin_dir":"/usr/lib/postgresql/17/bin","parameters":{"max_connections":"100","wal_level":"replica"}},"bootstrap":{"initdb":[{"auth-host":"md5"},{"auth-local":"trust"}],"dcs":{"ttl":30,"failsafe_mode":true,"x":null,"y":2.50,"z":1e3}}}',
    ],
    ["JSON over several lines", '{\n  "a": [1, 2,\n 3],\n  "restapi": {\n    "listen": ":8008"\n  }\n}\n'],
    ["JSON with escapes", '{"a":"\\u00e9\\/\\ud83d\\ude00\\n\\"\\\\","\\u0062":"\\ud800"}'],
    ["YAML over flow mappings", "a: { b: [1, {c: d}], e: , f }\npostgresql: { parameters: { x: on } }\n"],
    ["Windows line ends", "a: 1\r\nb:\r\n  - c\r\n"],
    ["folded text", "a: >-\n  one\n  two\n\n  three\nb: |+\n  keep\n\n\nc: d\n"],
    ["empty entries", "a:\n-\n- b:\n- ''\nc:\n"],
    ["keys of any kind", "1: a\ntrue: b\n~: c\n'quoted': d\n? plain\n: e\n"],
    ["duplicates elsewhere", "postgresql:\n  parameters:\n    work_mem: 4MB\n    work_mem: 8MB\n"],
    ["a merge key inside a parameter list", "base: &b {x: 1}\npostgresql:\n  parameters:\n    <<: *b\n"],
    ["keys that look like a prototype's", "__proto__: {polluted: 1}\nconstructor: {prototype: x}\n"],
    ["a byte order mark", "\ufeffa: 1\n"],
  ];
  for (const [name, text] of rows) {
    test(name, () => {
      const json = text.trimStart().startsWith("{");
      const how = json
        ? JSON.parse
        : (it: string) => parse(it, { version: "1.1", uniqueKeys: false, logLevel: "error" });
      const expected = how(text);
      for (const [section, address] of [
        ["postgresql", OURS.postgres],
        ["restapi", OURS.restApi],
      ] as const) {
        expected[section] = { ...expected[section], connect_address: address };
      }
      const { text: after, kept } = merged(text);
      assert.deepEqual(how(after), expected);
      assert.deepEqual(kept, []);
    });
  }
});

describe("addresses of the user stay", () => {
  const rows: readonly [name: string, text: string, kept: string[]][] = [
    ["one", "postgresql: {connect_address: '10.0.0.1:5432'}\n", ["postgresql.connect_address"]],
    [
      "both",
      '{"postgresql":{"connect_address":"a:1"},"restapi":{"connect_address":"b:2"}}',
      ["postgresql.connect_address", "restapi.connect_address"],
    ],
    ["an alias", "x: &x a:1\npostgresql:\n  connect_address: *x\n", ["postgresql.connect_address"]],
    ["what is no text at all", "restapi:\n  connect_address: [a, b]\n", ["restapi.connect_address"]],
  ];
  for (const [name, text, kept] of rows) {
    test(name, () => {
      const result = merged(text);
      assert.deepEqual(result.kept, kept);
      const [before, after] = [read(text), read(result.text)] as Record<string, Record<string, unknown>>[];
      for (const place of kept) {
        const [section = "", key = ""] = place.split(".");
        assert.deepEqual(after?.[section]?.[key], before?.[section]?.[key]);
      }
      if (kept.length === 2) assert.equal(result.text, text);
    });
  }

  test("an address that may be replaced is, and nothing else", () => {
    const text = "postgresql:\n  connect_address: old:5432 # ours\nrestapi:\n  connect_address: mine:1\n";
    const result = merged(text, (address) => address.startsWith("old"));
    assert.equal(result.text, text.replace("old:5432", OURS.postgres));
    assert.deepEqual(result.kept, ["restapi.connect_address"]);
  });

  test("merging again gives the very same text", () => {
    const oddly = `postgresql:   {   connect_address:   "${OURS.postgres}"}\nrestapi: {connect_address: ${JSON.stringify(OURS.restApi)}}`;
    assert.equal(merged(oddly, () => true).text, oddly);
  });

  test("an address that is not asked for is not touched", () => {
    const result = mergeConnectAddresses("a: 1\n", { restApi: OURS.restApi }, never);
    assert.deepEqual(result, {
      kind: "merged",
      text: `a: 1\nrestapi:\n  connect_address: ${OURS.restApi}\n`,
      kept: [],
    });
  });
});

describe("texts that cannot be merged with", () => {
  const rows: readonly [name: string, text: string, why: string | RegExp][] = [
    ["a list", "- a\n", "not a mapping"],
    ["a word", "hello", "not a mapping"],
    ["a JSON list", "[]", "not a mapping"],
    ["two documents", "a: 1\n---\nb: 2\n", /multiple documents.*\(line 2, column \d+\)$/],
    ["broken YAML", "a: [1\nb: 2\n", /\(line \d+, column \d+\)$/],
    ["broken JSON", '{"a": "b}', /\(line 1, column \d+\)$/],
    ["a tab as indentation", "a:\n\tb: 1\n", /\(line 2, column \d+\)$/],
    ["a section of text", "postgresql: on\n", "postgresql is not a mapping of its own"],
    ["a section that is a list", "restapi: []\n", "restapi is not a mapping of its own"],
    ["a section that is an alias", "x: &x {a: 1}\nrestapi: *x\n", "restapi is not a mapping of its own"],
    ["a section that others refer to", "restapi: &x {a: 1}\ny: *x\n", "restapi is shared by an anchor"],
    ["a section twice", "restapi: {a: 1}\nrestapi: {b: 1}\n", "restapi stands there twice"],
    [
      "an address twice",
      "restapi:\n  connect_address: a\n  connect_address: b\n",
      "restapi.connect_address stands there twice",
    ],
    [
      "a merge key that may bring the section",
      "x: &x {restapi: {}}\n<<: *x\n",
      "postgresql may come from a merge key",
    ],
    [
      "a merge key that may bring the address",
      "x: &x {connect_address: mine:1}\npostgresql:\n  <<: *x\n",
      "postgresql.connect_address may come from a merge key",
    ],
    ["an alias without its anchor", "a: *nowhere\n", /nowhere/],
    ["too long", `a: ${"x".repeat(128 * 1024)}`, "longer than 131072 characters"],
    ["too long once merged", `{"a": [${"1,".repeat(60_000)}1]}`, "longer than 131072 bytes when merged"],
    ["nested too deeply", `{"a":${"[".repeat(300)}`, "nested too deeply"],
    ["nested too deeply on one line", "- ".repeat(60), "nested too deeply"],
  ];
  for (const [name, text, why] of rows) {
    test(name, () => {
      const told = refused(text);
      if (typeof why === "string") assert.equal(told, why);
      else assert.match(told, why);
      assert.ok(!told.includes("\n"));
    });
  }
});

describe("reading", () => {
  const rows: readonly [name: string, text: string, expected: object][] = [
    ["nothing", "", {}],
    [
      "both",
      "postgresql: {connect_address: a:1}\nrestapi: {connect_address: b:2}",
      { postgres: "a:1", restApi: "b:2" },
    ],
    ["JSON", '{"restapi":{"connect_address":"b:2"}}', { restApi: "b:2" }],
    ["an anchored section", "postgresql: &x {connect_address: a:1}\ny: *x\n", { postgres: "a:1" }],
    ["an aliased section", "x: &x {connect_address: a:1}\npostgresql: *x\n", { postgres: "a:1" }],
    ["an aliased address", "x: &x a:1\npostgresql: {connect_address: *x}\n", { postgres: "a:1" }],
    ["a merged section", "x: &x {postgresql: {connect_address: a:1}}\n<<: *x\n", { postgres: "a:1" }],
    ["a merged address", "x: &x {connect_address: a:1}\npostgresql:\n  <<: *x\n", { postgres: "a:1" }],
    [
      "the last of two",
      "restapi: {connect_address: a:1}\nrestapi: {connect_address: b:2}\n",
      { restApi: "b:2" },
    ],
    ["what is no text", "restapi: {connect_address: [a]}\n", {}],
    ["broken text", "restapi: {connect_address: a:1\n", {}],
    ["a list", "- postgresql\n", {}],
    ["a merge of what is no mapping", "<<: 3\nrestapi: {connect_address: a:1}\n", {}],
  ];
  for (const [name, text, expected] of rows) {
    test(name, () => assert.deepEqual(readConnectAddresses(text), expected));
  }
});

/**
 * Texts that made the parser slow, each as long as an environment string can be; a quarter of that where a minute must do for all
 * tests. The bound is the same.
 */
describe("hostile texts take bounded time", () => {
  const length = onlyThorough ? 32 * 1024 : 128 * 1024;
  const fill = (unit: string) => unit.repeat(Math.floor((length - 16) / unit.length));
  const lines = (count: number, line: (index: number) => string) =>
    Array.from({ length: count }, (_, i) => line(i)).join("\n");
  const bombs = lines(9, (i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(",")}]`);
  const rows: Readonly<Record<string, string>> = {
    "open and close": fill("[]"),
    braces: fill("{}"),
    commas: `{${fill(",")}}`,
    quotes: fill('"'),
    "ends without starts": fill("}\n"),
    "an explicit key": `? ${fill("a\n")}`,
    "empty keys": fill("a:\n"),
    "empty lines": fill("a: 1\n\n\n\n"),
    "many anchors": lines(length / 16, (i) => `k${i}: &a${i} v`),
    "aliases of aliases": `a0: &a0 x\n${bombs}\nrestapi: {connect_address: *a9}\n`,
    indented: lines(490, (i) => `${" ".repeat(i)}a:`),
    questions: fill("?\n"),
  };
  for (const [name, text] of Object.entries(rows)) {
    test(name, () => {
      const start = cpuTimeMs();
      mergeConnectAddresses(text, OURS, never);
      readConnectAddresses(text);
      const took = cpuTimeMs() - start;
      assert.ok(took < 2000, `took ${Math.round(took)} ms of CPU time`);
    });
  }

  test("errors have their stack traces again afterwards", () => {
    const before = Error.stackTraceLimit;
    mergeConnectAddresses("a: [", OURS, never);
    assert.equal(Error.stackTraceLimit, before);
  });
});
