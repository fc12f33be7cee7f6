import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Pooler } from "./rig/pooler.ts";
import { pgbouncerEnvironment, ReloadApi } from "./rig/reload-api.ts";
import { until } from "./rig/service.ts";

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

test("what is in the pod is loaded, and proven by what PgBouncer shows", async () => {
  await pooler.configure(++version, {
    settings: { max_client_conn: 321 },
    databases: { other: "port=5433 pool_size=3" },
  });
  const { status, body } = await api.reload("pgbouncer", version);
  const { durationMs, ...rest } = body;
  assert.equal(status, 200);
  assert.deepEqual(rest, {
    component: "pgbouncer",
    requestedVersion: version,
    appliedVersion: version,
    proof: "console",
    pendingRestart: [],
    unverified: ["auth_file: passwords, and users who have left"],
  });
  assert.ok(Number.isInteger(durationMs));
  assert.equal(await pooler.setting("max_client_conn"), "321");
  assert.equal((await api.status("pgbouncer")).appliedVersion, version);
  assert.match(
    api.metrics.text(),
    new RegExp(`sidecar_applied_version\\{component="pgbouncer"\\} ${version}\n`),
  );
});

test("a version that arrives late is waited for", async () => {
  const next = ++version;
  const waiting = api.reload("pgbouncer", next);
  await delay(300);
  assert.equal((await api.status("pgbouncer")).waiting, 1);
  await pooler.configure(next, { settings: { max_client_conn: 322 } });
  const { status, body } = await waiting;
  assert.equal(status, 200);
  assert.equal(body.appliedVersion, next);
  assert.equal(await pooler.setting("max_client_conn"), "322");
});

test("a version that never arrives is an error after the bound, with what is there", async () => {
  const began = performance.now();
  const { status, body } = await api.reload("pgbouncer", version + 5, 1);
  assert.ok(performance.now() - began >= 999);
  assert.equal(status, 504);
  assert.equal(body.type, "https://patroni-injector.io/problems/version-not-materialised");
  assert.equal(body.materialisedVersion, version);
  assert.equal(body.appliedVersion, version);
});

test("a version that gave way to a lower one is superseded, at once", async () => {
  const high = version + 2;
  await pooler.configure(high, {});
  assert.equal((await api.reload("pgbouncer", high)).status, 200);
  const low = high - 1;
  const waiting = api.reload("pgbouncer", high + 1);
  await pooler.configure(low, {});
  await until(
    "the lower version",
    async () => (await api.status("pgbouncer")).materialisedVersion === low,
    5000,
  );
  const began = performance.now();
  const { status, body } = await api.reload("pgbouncer", high);
  assert.equal(status, 409);
  assert.ok(performance.now() - began < 5000, "not after the bound of 20 s");
  assert.match(body.detail, new RegExp(`version ${high} was in the pod, and gave way to version ${low}`));
  assert.equal((await api.reload("pgbouncer", low)).body.appliedVersion, low);
  version = high + 1;
  await pooler.configure(version, {});
  assert.equal((await waiting).status, 200);
});

const BROKEN = [
  [
    "a value",
    { settings: { max_client_conn: "lots" } },
    /max_client_conn is "\d+" in PgBouncer, and lots in the file/,
  ],
  [
    "a setting that does not exist",
    { settings: { max_client_cnn: "5" } },
    /PgBouncer has no setting max_client_cnn/,
  ],
  ["a line", { more: ["what is this"] }, /this line cannot be read/],
] as const;
for (const [what, pooled, message] of BROKEN) {
  test(`pgbouncer.ini with a broken ${what.replace(/^a /, "")} is invalid, with file and line`, async () => {
    const applied = (await api.status("pgbouncer")).appliedVersion;
    await pooler.configure(++version, pooled);
    const { status, body } = await api.reload("pgbouncer", version);
    assert.equal(status, 422, JSON.stringify(body));
    assert.equal(body.appliedVersion, applied);
    const [error] = body.errors;
    assert.equal(error.file, pooler.volume.path("pgbouncer.ini"));
    assert.equal(error.line, 13);
    assert.match(error.message, message);
    assert.equal((await api.status("pgbouncer")).lastError.problem, "configuration-invalid");
    await pooler.configure(++version, {});
    assert.equal((await api.reload("pgbouncer", version)).status, 200);
    assert.equal((await api.status("pgbouncer")).lastError, undefined);
  });
}

test("a PgBouncer that is down, and one that comes back in time", async () => {
  await pooler.halt();
  const down = await api.reload("pgbouncer", version);
  assert.equal(down.status, 502);
  assert.equal(down.body.type, "https://patroni-injector.io/problems/reload-rejected");
  assert.match(down.body.detail, /console cannot be reached: .*ECONNREFUSED/);
  const waiting = api.reload("pgbouncer", version);
  await delay(500);
  pooler.startAgain();
  assert.equal((await waiting).status, 200);
});

for (const [user, words] of [
  ["watcher", /admin access needed/],
  ["nobody", /authentication failed|no such user/],
] as const) {
  test(`the console's user ${user} may not reload: its words`, async (t) => {
    const other = await ReloadApi.start(pgbouncerEnvironment(pooler, user));
    t.after(() => other.stop());
    const { status, body } = await other.reload("pgbouncer", version);
    assert.equal(status, 502);
    assert.match(body.detail, words);
    assert.equal(body.appliedVersion, undefined);
  });
}

test("over the console's Unix socket", async (t) => {
  const other = await ReloadApi.start({
    ...pgbouncerEnvironment(pooler),
    PATRONI_INJECTOR_RELOAD_PGBOUNCER_CONSOLE: `admin@${pooler.socketDir}:${pooler.port}`,
  });
  t.after(() => other.stop());
  assert.equal((await other.reload("pgbouncer", version)).status, 200);
});

test("by SIGHUP: sent, and no more said than that", async (t) => {
  const other = await ReloadApi.start({
    ...pgbouncerEnvironment(pooler),
    PATRONI_INJECTOR_RELOAD_PGBOUNCER_METHOD: "signal",
  });
  t.after(() => other.stop());
  await pooler.configure(++version, { settings: { max_client_conn: 444 } });
  const { status, body } = await other.reload("pgbouncer", version);
  assert.equal(status, 200);
  assert.equal(body.proof, "signalled");
  assert.deepEqual(body.unverified, ["whether PgBouncer has taken anything of it"]);
  await until("the SIGHUP", async () => (await pooler.setting("max_client_conn")) === "444", 5000);
});

test("a hundred callers share a reload", async () => {
  await pooler.configure(++version, {});
  const reloads = () => (pooler.log.match(/RELOAD command issued/g) ?? []).length;
  const before = reloads();
  const answers = await Promise.all(Array.from({ length: 100 }, () => api.reload("pgbouncer", version)));
  assert.deepEqual(
    [...new Set(answers.map(({ status, body }) => `${status} ${body.appliedVersion}`))],
    [`200 ${version}`],
  );
  await delay(50);
  assert.ok(reloads() - before <= 5, `${reloads() - before} reloads`);
});

test("a caller that disconnects waits no longer, and takes nobody along", async () => {
  const next = ++version;
  const hangsUp = new AbortController();
  const gone = api.reload("pgbouncer", next, 20, hangsUp.signal);
  const stays = api.reload("pgbouncer", next);
  await until("both to wait", async () => (await api.status("pgbouncer")).waiting === 2, 5000);
  hangsUp.abort();
  await assert.rejects(gone);
  await until("one to wait", async () => (await api.status("pgbouncer")).waiting === 1, 5000);
  await pooler.configure(next, {});
  assert.equal((await stays).status, 200);
});

test("versions that change while reloads run: what is said to be applied is what PgBouncer runs", async () => {
  let done = false;
  const changing = (async () => {
    for (let turn = 0; turn < 60; turn++) {
      const next = ++version;
      await pooler.configure(next, { settings: { max_client_conn: 1000 + next } });
      await delay(turn % 7);
    }
    done = true;
  })();
  let answered = 0;
  while (!done) {
    const asked = version;
    const { status, body } = await api.reload("pgbouncer", asked);
    assert.equal(status, 200, JSON.stringify(body));
    assert.ok(body.appliedVersion >= asked);
    answered++;
  }
  await changing;
  const { body } = await api.reload("pgbouncer", version);
  assert.equal(body.appliedVersion, version);
  assert.equal(await pooler.setting("max_client_conn"), String(1000 + version));
  assert.ok(answered > 0);
});

test("automatic: a version that grows is reloaded without a call", async (t) => {
  const other = await ReloadApi.start({
    ...pgbouncerEnvironment(pooler),
    PATRONI_INJECTOR_RELOAD_AUTOMATIC: "on",
  });
  t.after(() => other.stop());
  const applied = (wanted: number) => async () => (await other.status("pgbouncer")).appliedVersion === wanted;
  await until("what is there at the start", applied(version), 5000);
  await pooler.configure(++version, { settings: { max_client_conn: 555 } });
  await until("the next version", applied(version), 5000);
  assert.equal(await pooler.setting("max_client_conn"), "555");
});
