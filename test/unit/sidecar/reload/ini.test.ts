import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAuthFile } from "../../../../src/sidecar/reload/pgbouncer/auth-file.ts";
import { connectionParameters, parseIni } from "../../../../src/sidecar/reload/pgbouncer/ini.ts";
import { loadIni, sectionOf } from "../../../../src/sidecar/reload/pgbouncer/load.ts";
import { mountedPath } from "../../../../src/sidecar/reload/pgbouncer/mount.ts";

test("pgbouncer.ini is read as PgBouncer reads it", () => {
  const parts = parseIni(
    [
      "; a comment",
      "# another",
      "[databases] ; here too",
      "app = host=/tmp dbname='it''s app' password=x",
      "'odd \"name\"' = port=1",
      "* = host=db",
      "[pgbouncer]\r",
      "pool_mode=session",
      "  pool_mode =  transaction  ",
      "auth_query = SELECT a FROM b WHERE c = $1 ; not a comment",
      "%include /etc/pgbouncer/more.ini \t",
      "what is this",
      "max_client_conn = 5",
    ].join("\n"),
  );
  assert.deepEqual(
    parts.map((part) => [part.line, ...Object.values(part).filter((value) => typeof value === "string")]),
    [
      [3, "section", "databases"],
      [4, "entry", "app", "host=/tmp dbname='it''s app' password=x"],
      [5, "entry", 'odd "name"', "port=1"],
      [6, "entry", "*", "host=db"],
      [7, "section", "pgbouncer"],
      [8, "entry", "pool_mode", "session"],
      [9, "entry", "pool_mode", "transaction"],
      [10, "entry", "auth_query", "SELECT a FROM b WHERE c = $1 ; not a comment"],
      [11, "include", "/etc/pgbouncer/more.ini"],
      [12, "fault"],
    ],
  );
  assert.deepEqual(connectionParameters("host=/tmp dbname='it''s app' password=x"), {
    host: "/tmp",
    dbname: "it's app",
    password: "x",
  });
});

for (const text of ["[databases", "%includ x", "%include", '"a" = 1', "a b = 1", "'' = 1", "key"]) {
  test(`a fault: ${text}`, () => assert.deepEqual(parseIni(`;\n${text}`), [{ kind: "fault", line: 2 }]));
}

/** The settings that are in force after some files, and what is told beside. */
async function loaded(files: Readonly<Record<string, string>>) {
  const asked: string[] = [];
  const ini = await loadIni("main", files.main ?? "", async (path) => {
    asked.push(path);
    return files[path];
  });
  const settings = [...sectionOf(ini, "pgbouncer").values()].map(
    ({ key, value, file, line }) => `${key}=${value} (${file}:${line})`,
  );
  return { settings, fault: ini.fault, unseen: ini.unseen, asked };
}

test("files that are included: the section goes on, the later counts", async () => {
  const { settings, unseen } = await loaded({
    main: "[pgbouncer]\na = 1\n%include more\nc = 1\n%include elsewhere",
    more: "a = 2\nb = 2\n%include most",
    most: "[databases]\nd =",
  });
  // `c` stands in the section that the last file ended with.
  assert.deepEqual(settings, ["a=2 (more:1)", "b=2 (more:2)"]);
  assert.deepEqual(unseen, ["elsewhere"]);
});

test("a section that begins again forgets what it said", async () => {
  const { settings } = await loaded({
    main: "[pgbouncer]\na = 1\n%include more",
    more: "[pgbouncer]\nb = 2",
  });
  assert.deepEqual(settings, ["b=2 (more:2)"]);
});

test("a fault ends it all, wherever it stands", async () => {
  const { settings, fault } = await loaded({
    main: "[pgbouncer]\n%include more\nb = 1",
    more: "a = 1\n?\nc = 1",
  });
  assert.deepEqual(settings, ["a=1 (more:1)"]);
  assert.deepEqual(fault, { file: "more", line: 2, message: "this line cannot be read" });
});

test("files that include each other come to an end", async () => {
  const { fault, asked } = await loaded({
    main: "[pgbouncer]\n%include more",
    more: "%include more\n%include more",
  });
  assert.match(fault?.message ?? "", /too deeply/);
  assert.equal(asked.length, 10);
});

for (const [text, message] of [
  ["a = 1", /no section$/],
  ["[pools]", /no section pools/],
] as const) {
  test(`a fault of the whole: ${text}`, async () => {
    const { fault } = await loaded({ main: text });
    assert.match(fault?.message ?? "", message);
  });
}

const MOUNTS: readonly (readonly [string, string, string, string | undefined])[] = [
  ["/etc/pgbouncer/pgbouncer.ini", "/run/v/pgbouncer.ini", "/etc/pgbouncer/more.ini", "/run/v/more.ini"],
  ["/etc/pgbouncer/pgbouncer.ini", "/run/v/pgbouncer.ini", "/etc/pgbouncer/./a/../b/c", "/run/v/b/c"],
  ["/etc/pgbouncer/pgbouncer.ini", "/run/v/pgbouncer.ini", "/etc/pgbouncer/../passwd", undefined],
  ["/etc/pgbouncer/pgbouncer.ini", "/run/v/pgbouncer.ini", "/etc/pgbouncer2/more.ini", undefined],
  ["/etc/pgbouncer/pgbouncer.ini", "/run/v/pgbouncer.ini", "more.ini", undefined],
  ["/etc/pgbouncer/pgbouncer.ini", "/run/v/other.ini", "/etc/pgbouncer/more.ini", undefined],
  ["pgbouncer.ini", "/run/v/pgbouncer.ini", "conf.d/more.ini", "/run/v/conf.d/more.ini"],
  ["conf/pgbouncer.ini", "/run/v/pgbouncer.ini", "conf/more.ini", "/run/v/more.ini"],
  ["conf/pgbouncer.ini", "/run/v/pgbouncer.ini", "more.ini", undefined],
  ["pgbouncer.ini", "/run/v/pgbouncer.ini", "/etc/more.ini", undefined],
  ["pgbouncer.ini", "/run/v/pgbouncer.ini", "../more.ini", undefined],
];
for (const [theirs, ours, path, expected] of MOUNTS) {
  test(`${path} of a PgBouncer that was given ${theirs}, with ${ours}`, () => {
    assert.equal(mountedPath(theirs, ours)(path), expected);
  });
}

const AUTH: readonly (readonly [string, string, readonly string[], number | undefined])[] = [
  ["nothing", "", [], undefined],
  ["users", '"a" "x"\n"b" "md5y" "rest"\n', ["a", "b"], undefined],
  ["comments and quotes", '; no\n\n  "it""s" "p""w" ; yes', ['it"s'], undefined],
  ["a user without quotes", '"a" "x"\nb "y"\n"c" "z"', ["a"], 2],
  ["no password", '"a"', [], 1],
];
for (const [what, text, users, fault] of AUTH) {
  test(`auth_file: ${what}`, () => assert.deepEqual(parseAuthFile(text), { users, fault }));
}
