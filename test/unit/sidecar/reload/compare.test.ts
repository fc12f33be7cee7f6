import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConsoleRow, compare } from "../../../../src/sidecar/reload/pgbouncer/compare.ts";
import { connectionParameters, parseIni, sectionOf } from "../../../../src/sidecar/reload/pgbouncer/ini.ts";

test("pgbouncer.ini is read as PgBouncer reads it", () => {
  const ini = parseIni(
    [
      "; a comment",
      "# another",
      "[databases]",
      "app = host=/tmp dbname='it''s app' password=x",
      '"odd ""name""" = port=1',
      "* = host=db",
      "[pgbouncer]\r",
      "pool_mode=session",
      "  pool_mode =  transaction  ",
      "auth_query = SELECT a FROM b WHERE c = $1 ; not a comment",
      "%include /etc/pgbouncer/more.ini",
      "what is this",
    ].join("\n"),
  );
  assert.deepEqual(ini.faults, [12]);
  assert.deepEqual(ini.includes, ["/etc/pgbouncer/more.ini"]);
  const settings = sectionOf(ini, "pgbouncer");
  assert.deepEqual(settings.get("pool_mode"), {
    section: "pgbouncer",
    key: "pool_mode",
    value: "transaction",
    line: 9,
  });
  assert.equal(settings.get("auth_query")?.value, "SELECT a FROM b WHERE c = $1 ; not a comment");
  const databases = sectionOf(ini, "databases");
  assert.deepEqual([...databases.keys()], ["app", 'odd "name"', "*"]);
  assert.deepEqual(connectionParameters(databases.get("app")?.value ?? ""), {
    host: "/tmp",
    dbname: "it's app",
    password: "x",
  });
});

const setting = (key: string, value: string, initial = "", changeable = "yes"): ConsoleRow => ({
  key,
  value,
  default: initial,
  changeable,
});
const database = (name: string, more: ConsoleRow = {}): ConsoleRow => ({
  name,
  host: null,
  port: "5432",
  database: name,
  force_user: null,
  pool_size: "20",
  pool_mode: null,
  disabled: "0",
  ...more,
});
const CONSOLE = database("pgbouncer", { pool_size: "2" });
const POOL = setting("default_pool_size", "20", "20");

const CASES: readonly (readonly [
  string,
  string,
  readonly ConsoleRow[],
  readonly ConsoleRow[],
  readonly RegExp[],
])[] = [
  ["the same", "[pgbouncer]\na = 1", [setting("a", "1")], [], []],
  ["a number in another form", "[pgbouncer]\na = 60.50", [setting("a", "60.5")], [], []],
  ["a word in another case", "[pgbouncer]\na = Transaction", [setting("a", "transaction")], [], []],
  [
    "another value",
    "[pgbouncer]\na = 1",
    [setting("a", "2")],
    [],
    [/^a is "2" in PgBouncer, and 1 in the file$/],
  ],
  ["empty is not zero", "[pgbouncer]\na = 0", [setting("a", "")], [], [/^a is ""/]],
  [
    "not its default any more",
    "[pgbouncer]",
    [setting("a", "2", "1")],
    [],
    [/a is "2" .* 1 \(its default\)/],
  ],
  ["not its default, and in an included file perhaps", "%include x", [setting("a", "2", "1")], [], []],
  ["a setting that it does not know", "[pgbouncer]\nb = 1", [], [], [/no setting b/]],
  ["a database", "[databases]\nd =", [], [database("d")], []],
  ["a database that is missing", "[databases]\nd =", [], [], [/no database d/]],
  ["a database that has left", "[databases]", [], [database("d")], [/still has the database d/]],
  ["a database that was disabled", "[databases]", [], [database("d", { disabled: "1" })], []],
  ["databases of a pattern", "[databases]\n* = host=x", [], [database("d")], []],
  [
    "another host",
    "[databases]\nd = host=a",
    [],
    [database("d", { host: "b" })],
    [/host of the database d is "b"/],
  ],
  ["another name", "[databases]\nd = dbname=e", [], [database("d")], [/database of the database d/]],
  ["a pool of its own", "[databases]\nd = pool_size=5", [], [database("d")], [/pool_size of the database d/]],
];
for (const [what, ini, config, databases, messages] of CASES) {
  test(`PgBouncer against its file: ${what}`, () => {
    const { differences } = compare(parseIni(ini), [POOL, ...config], [CONSOLE, ...databases]);
    assert.equal(differences.length, messages.length, JSON.stringify(differences));
    for (const [index, message] of messages.entries())
      assert.match(differences[index]?.message ?? "", message);
  });
}

test("what only a restart changes is told apart; octal digits are read as such", () => {
  const ini = parseIni("[pgbouncer]\nlisten_backlog = 5\nunix_socket_mode = 0770");
  const config = [
    setting("listen_backlog", "128", "128", "no"),
    setting("unix_socket_mode", "504", "0777", "no"),
  ];
  assert.deepEqual(compare(ini, config, []), { differences: [], pendingRestart: ["listen_backlog"] });
});
