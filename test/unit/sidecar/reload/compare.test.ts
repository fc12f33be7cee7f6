import assert from "node:assert/strict";
import { test } from "node:test";
import { compare } from "../../../../src/sidecar/reload/pgbouncer/compare.ts";
import { type Ini, loadIni } from "../../../../src/sidecar/reload/pgbouncer/load.ts";
import type { ConsoleRow } from "../../../../src/sidecar/reload/pgbouncer/shown.ts";

const iniOf = (text: string): Promise<Ini> => loadIni("pgbouncer.ini", text, async () => undefined);

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
  ["a database of an included file perhaps", "[databases]\n%include x", [], [database("d")], []],
  ["begun again", "[pgbouncer]\na = 2\n[pgbouncer]", [setting("a", "1", "1")], [], []],
  ["a fault", "[pgbouncer]\nwhat is this\na = 1", [setting("a", "2", "1")], [], [/cannot be read/]],
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
  test(`PgBouncer against its file: ${what}`, async () => {
    const files = { ini: await iniOf(ini), auth: undefined };
    const { differences } = compare(files, {
      config: [POOL, ...config],
      databases: [CONSOLE, ...databases],
      users: [],
    });
    assert.equal(differences.length, messages.length, JSON.stringify(differences));
    for (const [index, message] of messages.entries())
      assert.match(differences[index]?.message ?? "", message);
  });
}

test("what only a restart changes is told apart; octal digits are read as such", async () => {
  const ini = await iniOf("[pgbouncer]\nlisten_backlog = 5\nunix_socket_mode = 0770");
  const config = [
    setting("listen_backlog", "128", "128", "no"),
    setting("unix_socket_mode", "504", "0777", "no"),
  ];
  assert.deepEqual(compare({ ini, auth: undefined }, { config, databases: [], users: [] }), {
    differences: [],
    pendingRestart: ["listen_backlog"],
    unverified: [],
  });
});

const user = (name: string, more: ConsoleRow = {}): ConsoleRow => ({ name, pool_mode: null, ...more });

test("users of both files are to be there; a file that PgBouncer does not read to its end is told", async () => {
  const ini = await iniOf("[users]\na = pool_mode=session\nb = pool_mode=session\nc =");
  const auth = { file: "/users", users: ["d", "e"], fault: 7 };
  const users = [user("a", { pool_mode: "session" }), user("b"), user("d")];
  const { differences } = compare({ ini, auth }, { config: [], databases: [], users });
  assert.deepEqual(
    differences.map(({ file, line, message }) => `${file}:${line} ${message}`),
    [
      'pgbouncer.ini:3 pool_mode of the user b is "" in PgBouncer, and session in the file',
      "pgbouncer.ini:4 PgBouncer has no user c",
      "/users:7 PgBouncer reads no further",
      "/users:undefined PgBouncer has no user e",
    ],
  );
});

test("a column that does not always show what was given is no evidence", async () => {
  const ini = await iniOf(
    "[databases]\nd = load_balance_hosts=disable server_lifetime=0 max_db_connections=0",
  );
  const row = database("d", { load_balance_hosts: null, server_lifetime: "3600", max_connections: "50" });
  const shown = { config: [POOL], databases: [CONSOLE, row], users: [] };
  assert.deepEqual(compare({ ini, auth: undefined }, shown), {
    differences: [],
    pendingRestart: [],
    unverified: ["load_balance_hosts", "server_lifetime", "max_db_connections"].map(
      (name) => `database d: ${name}`,
    ),
  });
});

test("what the console does not show is named", async () => {
  const ini = await iniOf(
    [
      "[databases]",
      "d = password=x pool_size=20 connect_query='select 1'",
      "* = host=x",
      "[users]",
      "a = max_user_connections=3",
      "[peers]",
      "1 = host=x",
      "[pgbouncer]",
      "%include /more.ini",
    ].join("\n"),
  );
  const config = [
    POOL,
    setting("auth_type", "md5"),
    setting("auth_file", "/users"),
    setting("auth_hba_file", ""),
    setting("client_tls_key_file", "/tls.key"),
  ];
  const shown = { config, databases: [CONSOLE, database("d")], users: [user("a")] };
  const rest = ["client_tls_key_file: content", "peer 1"];
  const before = ["database d: password", "database d: connect_query", "database *"];
  const users = "user a: max_user_connections";
  assert.deepEqual(compare({ ini, auth: undefined }, shown), {
    differences: [],
    pendingRestart: [],
    unverified: [...before, users, "%include /more.ini", "auth_file", ...rest],
  });
  const auth = { file: "/users", users: [], fault: undefined };
  assert.ok(
    compare({ ini, auth }, shown).unverified.includes("auth_file: passwords, and users who have left"),
  );
  const pam = config.map((row) => (row.key === "auth_type" ? setting("auth_type", "pam") : row));
  assert.ok(!compare({ ini, auth: undefined }, { ...shown, config: pam }).unverified.includes("auth_file"));
});
