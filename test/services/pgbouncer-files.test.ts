import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Pooler } from "./rig/pooler.ts";
import { pgbouncerEnvironment, ReloadApi } from "./rig/reload-api.ts";

let pooler: Pooler;
let api: ReloadApi;
/** Versions only grow, over all tests. */
let version = 1;

before(async () => {
  pooler = await Pooler.start();
  api = await ReloadApi.start(pgbouncerEnvironment(pooler));
});
after(async () => {
  await api?.stop();
  await pooler?.stop();
});

const AUTH_FILE = "auth_file: passwords, and users who have left";
const USERS = '"admin" ""\n"watcher" ""\n';

/** Materialises a configuration, and asks for it. */
async function applied(pooled: Parameters<Pooler["configure"]>[1]) {
  await pooler.configure(++version, pooled);
  return api.reload("pgbouncer", version);
}
/** With a path of a file in the volume, or elsewhere in the pod. */
const include = (name: string): string => `%include ${pooler.volume.path(name)}`;
const outside = async (text: string): Promise<string> => {
  const path = join(pooler.socketDir, "outside.ini");
  await writeFile(path, text);
  await chmod(path, 0o644);
  return path;
};

test("files that are included are followed, as PgBouncer follows them", async () => {
  const files = {
    "more.ini": `max_client_conn = 301\n%include ${pooler.volume.path("most.ini")}`,
    "most.ini": "default_pool_size = 7\n[databases]\nincluded = host=127.0.0.1 pool_size=3\n",
  };
  const { status, body } = await applied({ more: [include("more.ini")], files });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(body.unverified, [AUTH_FILE]);
  assert.equal(await pooler.setting("max_client_conn"), "301");
  assert.equal(await pooler.setting("default_pool_size"), "7");
  const broken = await applied({
    more: [include("more.ini")],
    files: { "more.ini": "max_client_conn = lots" },
  });
  assert.equal(broken.status, 422, JSON.stringify(broken.body));
  const [error] = broken.body.errors;
  assert.equal(error.file, pooler.volume.path("more.ini"));
  assert.equal(error.line, 1);
  const syntax = await applied({ more: [include("more.ini")], files: { "more.ini": "\nwhat is this" } });
  assert.equal(syntax.status, 422, JSON.stringify(syntax.body));
  assert.match(syntax.body.errors[0].message, /cannot be read/);
  assert.equal(syntax.body.errors[0].line, 2);
});

test("a section that begins again in a file that is included forgets what it said, as PgBouncer does", async () => {
  const files = {
    "more.ini": "[pgbouncer]\nauth_type = trust\nadmin_users = admin\ndefault_pool_size = 8\n",
  };
  const settings = { max_client_conn: 302 };
  const { status, body } = await applied({ settings, more: [include("more.ini")], files });
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(await pooler.setting("default_pool_size"), "8");
  assert.equal(await pooler.setting("max_client_conn"), "100", "its default");
});

test("files that include each other are a fault", async () => {
  const files = { "more.ini": `max_client_conn = 303\n${include("more.ini")}` };
  const { status, body } = await applied({ more: [include("more.ini")], files });
  assert.equal(status, 422, JSON.stringify(body));
  assert.match(body.errors[0].message, /too deeply/);
  assert.match(pooler.log, /include nesting level too deep/);
});

test("a file that is included from elsewhere is named, and nothing is said of what it may decide", async () => {
  const path = await outside("default_pool_size = 9\n");
  const named = await applied({ more: [`%include ${path}`] });
  assert.equal(named.status, 200, JSON.stringify(named.body));
  assert.deepEqual(named.body.unverified, [`%include ${path}`, AUTH_FILE]);
  assert.equal(await pooler.setting("default_pool_size"), "9");
  const before = (await api.status("pgbouncer")).appliedVersion;
  const settings = { default_pool_size: 10 };
  const overridden = await applied({ settings, more: [`%include ${path}`] });
  assert.equal(overridden.status, 502, JSON.stringify(overridden.body));
  assert.equal(overridden.body.type, "https://patroni-injector.io/problems/reload-unproven");
  assert.match(overridden.body.detail, new RegExp(`not mounted here: ${path}`));
  assert.match(overridden.body.errors[0].message, /default_pool_size is "9" in PgBouncer/);
  assert.equal(overridden.body.appliedVersion, before);
  const relative = await applied({ more: ["%include nowhere.ini"] });
  // 1.18 answers RELOAD with a success, and has stopped reading there.
  assert.deepEqual(relative.body.unverified, ["%include nowhere.ini", AUTH_FILE]);
});

test("users of auth_file are to be there, and a file that is not read to its end is told", async () => {
  const files = { "userlist.txt": `${USERS}"late ""one""" "md5x"\n` };
  const { status, body } = await applied({ files });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(body.unverified, [AUTH_FILE]);
  const broken = await applied({
    files: { "userlist.txt": `${USERS}; so far\nunquoted "x"\n"after" "y"\n` },
  });
  assert.equal(broken.status, 422, JSON.stringify(broken.body));
  assert.deepEqual(broken.body.errors, [
    { file: pooler.volume.path("userlist.txt"), line: 4, message: "PgBouncer reads no further" },
  ]);
  assert.match(pooler.log, /broken auth file/);
  assert.equal((await applied({})).status, 200);
});

test("an auth_file that PgBouncer has not read is found out", async () => {
  // A fault before its end keeps PgBouncer from reading its users.
  const { status, body } = await applied({
    more: ["[users]", "somebody = no_such=1"],
    files: { "userlist.txt": `${USERS}"newcomer" ""\n` },
  });
  assert.equal(status, 422, JSON.stringify(body));
  const messages = body.errors.map(({ message }: { message: string }) => message);
  assert.deepEqual(messages, ["PgBouncer has no user somebody", "PgBouncer has no user newcomer"]);
});

test("what else the console does not show is named", async () => {
  const hba = pooler.volume.path("hba.conf");
  const { status, body } = await applied({
    settings: { auth_type: "hba", auth_hba_file: hba },
    databases: { app: "host=127.0.0.1 port=5432 password=x", "*": "host=127.0.0.1" },
    more: ["[users]", "admin = pool_mode=session max_user_connections=3"],
    files: { "hba.conf": "local all all trust\nhost all all 127.0.0.1/32 trust\n" },
  });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(body.unverified, [
    "database app: password",
    "database *",
    "user admin: max_user_connections",
    AUTH_FILE,
    "auth_hba_file: content",
  ]);
});
