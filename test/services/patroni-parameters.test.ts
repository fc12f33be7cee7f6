import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Database, HBA } from "./rig/database.ts";
import { type Answer, postgresEnvironment, ReloadApi } from "./rig/reload-api.ts";

let database: Database;
let api: ReloadApi;
/** Versions only grow, over all tests. */
let version = 0;

before(async () => {
  database = await Database.start();
  api = await ReloadApi.start(
    { ...postgresEnvironment(database), PATRONI_INJECTOR_RELOAD_POSTGRES_VERSION: "dcs" },
    database.rest,
  );
});
after(async () => {
  await api?.stop();
  await database?.stop();
});

/** Puts a configuration into the DCS, and asks for it. */
async function applied(parameters: object, more: object = {}): Promise<Answer> {
  const marked = { ...parameters, "patroni_injector.config_version": ++version };
  await database.configureDcs({ parameters: marked, ...more });
  return api.reload("postgres", version, 40);
}

const GOOD = {
  work_mem: "8MB",
  maintenance_work_mem: "8192kB",
  temp_buffers: 1024,
  checkpoint_timeout: "6min",
  autovacuum_naptime: "90s",
  random_page_cost: 1.5,
  seq_page_cost: "1.0",
  effective_io_concurrency: 0,
  jit: "yes",
  enable_seqscan: true,
  enable_hashjoin: "1",
  enable_sort: false,
  geqo: "TRUE",
  log_min_messages: "WARNING",
  wal_compression: "pglz",
  search_path: '"$user", public',
  DateStyle: "ISO, DMY",
  log_line_prefix: "%m 'it''s' \\ [%p] ",
  "auto_explain.log_min_duration": "5s",
  "some.thing": 1,
  port: 1,
  hot_standby: "off",
  restore_command: "false",
  wal_keep_segments: 3,
  synchronous_standby_names: "",
};

test("parameters in whatever form PostgreSQL takes them are no false alarm", async () => {
  const { status, body } = await applied(GOOD);
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.proof, "marker");
  assert.deepEqual(body.unverified, [
    "port: Patroni decides on it",
    "hot_standby: Patroni decides on it",
    "restore_command: Patroni decides on it",
    "wal_keep_segments: Patroni decides on it",
  ]);
  assert.equal(await database.setting("jit"), "on");
  const again = await applied({ work_mem: "8192kB", checkpoint_timeout: 360, jit: true });
  assert.equal(again.status, 200, JSON.stringify(again.body));
});

const REFUSED = [
  ["a value of another type", "work_mem", "garbage", /^Patroni leaves work_mem out of postgresql\.conf/],
  ["a unit that there is not", "maintenance_work_mem", "8mb", /^Patroni leaves maintenance_work_mem out/],
  ["no truth value", "jit", "maybe", /^Patroni leaves jit out/],
  [
    "a word that the enum does not have",
    "log_min_messages",
    "whisper",
    /^Patroni leaves log_min_messages out/,
  ],
  ["an unknown name", "wrok_mem", "8MB", /^Patroni leaves wrok_mem out/],
  [
    "a parameter of a newer PostgreSQL",
    "allow_alter_system",
    "off",
    /^Patroni leaves allow_alter_system out/,
  ],
  ["too little", "random_page_cost", -5, /^Patroni does not take this value of random_page_cost/],
  ["too much", "checkpoint_timeout", "2d", /^Patroni does not take this value of checkpoint_timeout/],
  ["less than Patroni takes", "max_connections", 5, /^Patroni does not take this value of max_connections/],
] as const;

test("what Patroni drops of its DCS is told, and not said to be applied", async () => {
  const before = (await api.status("postgres")).appliedVersion;
  const parameters = Object.fromEntries(REFUSED.map(([, name, value]) => [name, value]));
  const { status, body } = await applied({ ...parameters, seq_page_cost: 1.25 });
  assert.equal(status, 422, JSON.stringify(body));
  assert.equal(body.type, "https://patroni-injector.io/problems/configuration-invalid");
  assert.equal(body.appliedVersion, before);
  const messages: string[] = body.errors.map(({ message }: { message: string }) => message);
  for (const [what, , , pattern] of REFUSED)
    assert.ok(
      messages.some((message) => pattern.test(message)),
      `${what}: ${messages.join("\n")}`,
    );
  assert.equal(messages.length, REFUSED.length);
  assert.doesNotMatch(messages.join(), /garbage|whisper/, "a value may hold a password");
});

test("one refused parameter among good ones is enough", async () => {
  const { status, body } = await applied({ work_mem: "5MB", temp_buffers: "a lot" });
  assert.equal(status, 422, JSON.stringify(body));
  assert.equal(body.errors.length, 1);
  assert.equal(await database.setting("work_mem"), "5MB");
});

test("what the member's own configuration or ALTER SYSTEM says otherwise is told", async () => {
  await database.sql("ALTER SYSTEM SET work_mem = '3MB'", "postgres");
  const parameters = { work_mem: "5MB", fsync: "on", max_connections: 120 };
  const { status, body } = await applied(parameters);
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(body.unverified, [
    "work_mem: ALTER SYSTEM says otherwise",
    "fsync: Patroni writes another value, as that of the member's own configuration",
  ]);
  assert.deepEqual(body.pendingRestart, ["max_connections"]);
  await database.sql("ALTER SYSTEM RESET work_mem", "postgres");
});

test("rules of pg_hba.conf that are not those of the DCS are told", async () => {
  const { status, body } = await applied({}, { pg_hba: ["local all all trust"] });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(body.unverified, ["pg_hba: PostgreSQL shows other rules"]);
  assert.deepEqual((await applied({}, { pg_hba: HBA })).body.unverified, []);
});

test("a version that another member puts into the DCS is seen before Patroni's next round", async () => {
  for (let turn = 0; turn < 3; turn++) {
    const { status, body } = await applied({ seq_page_cost: 1 + turn / 4 });
    assert.equal(status, 200);
    assert.ok(body.durationMs < 6000, `${body.durationMs} ms`);
  }
});
