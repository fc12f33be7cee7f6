import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { callPatroni, type RestTarget } from "../../src/patroni/rest.ts";
import { PatroniReload } from "../../src/sidecar/reload/postgres/patroni-reload.ts";
import { reloadPostgres } from "../../src/sidecar/reload/postgres/reload-postgres.ts";
import { Database } from "./rig/database.ts";
import { postgresEnvironment, ReloadApi } from "./rig/reload-api.ts";
import { until } from "./rig/service.ts";

let database: Database;
let api: ReloadApi;
/** Versions only grow, over all tests. */
let version = 1;

before(async () => {
  database = await Database.start();
  api = await ReloadApi.start(postgresEnvironment(database), database.rest);
});
after(async () => {
  await api?.stop();
  await database?.stop();
});

test("what is in the pod is loaded through Patroni, and proven by PostgreSQL", async () => {
  await database.configure(++version, { parameters: { work_mem: "5MB" } });
  const { status, body } = await api.reload("postgres", version);
  assert.equal(status, 200, JSON.stringify(body));
  const { durationMs: _, ...rest } = body;
  assert.deepEqual(rest, {
    component: "postgres",
    requestedVersion: version,
    appliedVersion: version,
    proof: "load-time",
    pendingRestart: [],
    unverified: ["parameters that Patroni refuses"],
  });
  assert.equal(await database.setting("work_mem"), "5MB");
});

test("a version that arrives late is waited for", async () => {
  const next = ++version;
  const waiting = api.reload("postgres", next);
  await delay(300);
  await database.configure(next, { parameters: { work_mem: "6MB" } });
  assert.equal((await waiting).body.appliedVersion, next);
  assert.equal(await database.setting("work_mem"), "6MB");
});

test("a version that never arrives is an error after the bound, with what is there", async () => {
  const { status, body } = await api.reload("postgres", version + 5, 1);
  assert.equal(status, 504);
  assert.equal(body.materialisedVersion, version);
  assert.equal(body.appliedVersion, version);
});

const BROKEN = [
  [
    "a value",
    { custom: "work_mem = 'garbage'" },
    "custom.conf",
    1,
    /^work_mem: setting could not be applied$/,
  ],
  ["the syntax", { custom: "work_mem = 4MB\nand then what" }, "custom.conf", 2, /syntax error/],
  [
    "pg_hba.conf",
    { hba: ["local all all trust", "host all all 127.0.0.1/32 trust", "host all"] },
    "pg_hba.conf",
    5,
    /./,
  ],
] as const;
for (const [what, configured, file, line, message] of BROKEN) {
  test(`a configuration with a fault in ${what} is invalid, with file and line`, async () => {
    const { appliedVersion } = await api.status("postgres");
    await database.configure(++version, configured);
    const { status, body } = await api.reload("postgres", version);
    assert.equal(status, 422, JSON.stringify(body));
    assert.equal(body.type, "https://patroni-injector.io/problems/configuration-invalid");
    assert.equal(body.appliedVersion, appliedVersion);
    assert.equal(body.errors.length, 1);
    assert.ok(body.errors[0].file.endsWith(`/${file}`), body.errors[0].file);
    assert.equal(body.errors[0].line, line);
    assert.match(body.errors[0].message, message);
    await database.configure(++version, {});
    assert.equal((await api.reload("postgres", version)).status, 200);
  });
}

test("a setting that needs a restart is told, and is no fault", async () => {
  await database.configure(++version, { custom: "shared_buffers = 17MB" });
  const { status, body } = await api.reload("postgres", version);
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(body.pendingRestart, ["shared_buffers"]);
  await database.configure(++version, {});
  assert.equal((await api.reload("postgres", version)).status, 200);
});

test("a setting that has left the files and stays until a restart is told, and is no fault", async () => {
  const restart = async () => {
    const body = {};
    const { code } = await callPatroni(database.rest, {
      method: "POST",
      path: "/restart",
      body,
      timeoutMs: 30_000,
    });
    assert.equal(code, 200);
    await database.untilPrimary();
  };
  await database.configure(++version, { parameters: { shared_buffers: "17MB" } });
  assert.deepEqual((await api.reload("postgres", version)).body.pendingRestart, ["shared_buffers"]);
  await restart();
  await database.configure(++version, {});
  const { status, body } = await api.reload("postgres", version);
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(body.pendingRestart, ["shared_buffers"]);
  await restart();
  assert.deepEqual((await api.reload("postgres", version)).body.pendingRestart, []);
});

test("a marker in the configuration is the proof, and one of another version proves nothing", async () => {
  await database.configure(++version, { parameters: { "patroni_injector.config_version": version } });
  assert.equal((await api.reload("postgres", version)).body.proof, "marker");
  const applied = version;
  await database.configure(++version, { parameters: { "patroni_injector.config_version": applied } });
  const { status, body } = await api.reload("postgres", version, 3);
  assert.equal(status, 502);
  assert.equal(body.type, "https://patroni-injector.io/problems/reload-unproven");
  assert.equal(body.appliedVersion, applied);
  // What is materialised last wins over a reload that still looks for its proof.
  await database.configure(++version, {});
  assert.equal((await api.reload("postgres", version, 40)).body.appliedVersion, version);
});

test("a Patroni that answers 202 and does nothing is found out", async (t) => {
  const calls: string[] = [];
  const server = createServer((request, response) => {
    calls.push(`${request.method} ${request.url}`);
    response.writeHead(request.url === "/reload" ? 202 : 200).end("{}");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const rest: RestTarget = { scheme: "http", host: "127.0.0.1", port, tls: {} };
  const idle = await ReloadApi.start(postgresEnvironment(database), rest);
  t.after(() => idle.stop());
  await database.configure(++version, { parameters: { work_mem: "7MB" } });
  const { status, body } = await idle.reload("postgres", version, 2);
  assert.equal(status, 502);
  assert.equal(body.type, "https://patroni-injector.io/problems/reload-unproven");
  assert.equal(body.appliedVersion, undefined);
  assert.deepEqual(calls.slice(0, 2), ["POST /reload", "PATCH /config"]);
  const patroni = new PatroniReload(() => rest, undefined);
  const { connection } = database;
  const outcome = await reloadPostgres(version, {
    patroni,
    connection,
    needsMarker: false,
    proofWithinMs: 500,
  });
  assert.deepEqual(outcome, {
    kind: "failed",
    failure: {
      problem: "reload-unproven",
      detail: "PostgreSQL has not loaded its configuration since the reload was asked for",
      errors: [],
    },
  });
});

test("without a connection to PostgreSQL nothing is proven, whatever Patroni does", async (t) => {
  const { PATRONI_INJECTOR_RELOAD_POSTGRES_VERSION: file = "" } = postgresEnvironment(database);
  const blind = await ReloadApi.start({ PATRONI_INJECTOR_RELOAD_POSTGRES_VERSION: file }, database.rest);
  t.after(() => blind.stop());
  await database.configure(++version, { parameters: { work_mem: "8MB" } });
  const { status, body } = await blind.reload("postgres", version);
  assert.equal(status, 502);
  assert.match(body.detail, /Patroni has noted the reload; nothing tells/);
  assert.equal((await blind.status("postgres")).appliedVersion, undefined);
  await until("Patroni to reload", async () => (await database.setting("work_mem")) === "8MB", 15_000);
});

test("a role that may not look at the faults proves nothing", async (t) => {
  await database.sql("CREATE ROLE blinkered LOGIN", "postgres");
  const { host, port } = database.connection;
  const blinkered = await ReloadApi.start(
    {
      ...postgresEnvironment(database),
      PATRONI_INJECTOR_RELOAD_POSTGRES_CONNECTION: `blinkered@${host}:${port}`,
    },
    database.rest,
  );
  t.after(() => blinkered.stop());
  const { status, body } = await blinkered.reload("postgres", version);
  assert.equal(status, 502);
  assert.match(body.detail, /permission denied for view pg_file_settings/);
});

test("the version of the configuration in Patroni's DCS", async (t) => {
  const dcs = await ReloadApi.start(
    { ...postgresEnvironment(database), PATRONI_INJECTOR_RELOAD_POSTGRES_VERSION: "dcs" },
    database.rest,
  );
  t.after(() => dcs.stop());
  const none = await dcs.reload("postgres", 7, 1);
  assert.equal(none.status, 504);
  assert.match(none.body.detail, /there is no postgresql.parameters\["patroni_injector.config_version"\]/);
  const parameters = { "patroni_injector.config_version": "7", maintenance_work_mem: "77MB" };
  const waiting = dcs.reload("postgres", 7, 40);
  await callPatroni(database.rest, {
    method: "PATCH",
    path: "/config",
    body: { postgresql: { parameters } },
    timeoutMs: 5000,
  });
  const { status, body } = await waiting;
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.proof, "marker");
  assert.equal(await database.setting("maintenance_work_mem"), "77MB");
  await callPatroni(database.rest, {
    method: "PATCH",
    path: "/config",
    body: { postgresql: { parameters: { "patroni_injector.config_version": null } } },
    timeoutMs: 5000,
  });
  await until(
    "the marker to be gone",
    async () =>
      (await database.sql("SELECT current_setting('patroni_injector.config_version', true) AS v"))[0]?.v !==
      "7",
    15_000,
  );
});

test("a hundred callers share a reload", async () => {
  await database.configure(++version, {});
  const answers = await Promise.all(Array.from({ length: 100 }, () => api.reload("postgres", version)));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
});

test("a Patroni that is down is told in its words; one that comes back in time is reloaded", async () => {
  await database.patroni.stop("SIGKILL");
  const down = await api.reload("postgres", version);
  assert.equal(down.status, 502);
  assert.equal(down.body.type, "https://patroni-injector.io/problems/reload-rejected");
  assert.match(down.body.detail, /Patroni does not answer: .*ECONNREFUSED/);
  database.startPatroniAgain();
  await database.untilPrimary();
  assert.equal((await api.reload("postgres", version)).status, 200);
});

test("once the files are there, a reload and its proof take less than 300 ms", async () => {
  const times: number[] = [];
  for (let turn = 0; turn < 20; turn++) {
    // Patroni rests for a second after a reload of its own, to look for settings that need a restart.
    await delay(1300);
    await database.configure(++version, { parameters: { work_mem: `${4 + turn}MB` } });
    const { status, body } = await api.reload("postgres", version);
    assert.equal(status, 200);
    times.push(body.durationMs);
  }
  times.sort((one, other) => one - other);
  const p95 = times[18] ?? Number.POSITIVE_INFINITY;
  assert.ok(p95 <= 300, `p95 ${p95} ms of ${times.join(", ")}`);
});
