import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { SERVICE, type Settings, SLICES, said, textAt, World } from "../component/sidecar/world.ts";
import { Pooler } from "./rig/pooler.ts";
import { pgbouncerEnvironment } from "./rig/reload-api.ts";
import { until } from "./rig/service.ts";

const OTHER_PRIMARY = "PgBouncer reconnects, for another primary is published";

/** What the injection sets in a pooler's pod. */
async function poolersSidecar(world: World, settings: Settings) {
  const environment = await world.poolerEnvironment("pool-0", {
    PATRONI_INJECTOR_RELOAD_PGBOUNCER_RECONNECT: "on",
    ...settings,
  });
  const sidecar = await world.run("pool-0", environment);
  const metrics = () => textAt(environment.PATRONI_INJECTOR_PORT ?? "", "/metrics");
  return { sidecar, metrics };
}

async function pooler(t: TestContext, pooled: Parameters<typeof Pooler.start>[0] = {}): Promise<Pooler> {
  const started = await Pooler.start(pooled);
  t.after(() => started.stop());
  return started;
}

const consoleOf = ({ port }: Pooler, user = "admin"): Settings => ({
  PATRONI_INJECTOR_RELOAD_PGBOUNCER_CONSOLE: `${user}@127.0.0.1:${port}`,
});

const FOLLOWED = "the published primary is followed";

const reconnects = ({ log }: Pooler): number => (log.match(/RECONNECT command issued/g) ?? []).length;

test("another primary is published: PgBouncer reconnects, at once and once more", async (t) => {
  const world = await World.open(t);
  const pool = await pooler(t);
  const { sidecar, metrics } = await poolersSidecar(world, consoleOf(pool));
  await world.publish("10.0.0.1");
  await sidecar.said(FOLLOWED);
  await world.publish();
  await world.publish("10.0.0.1");
  await world.client.replace(`${SLICES}/${SERVICE}`, { ...world.slice, ports: [] });
  assert.equal(reconnects(pool), 0, "the first that is seen, and the same again, are no other primary");
  await world.publish("10.0.0.2");
  await until("RECONNECT", () => reconnects(pool) >= 1, 10_000);
  await until("RECONNECT, once more", () => reconnects(pool) === 2, 10_000);
  assert.match(await metrics(), /sidecar_reconnects_total\{result="done"\} 2\n/);
  await sidecar.stop();
  assert.equal(sidecar.runs, false);
});

test("beside Patroni it is the same", async (t) => {
  const world = await World.open(t);
  const pool = await pooler(t);
  const place = { name: "pg-0", host: "127.0.0.1", ports: { rest: 1, postgres: 2 } };
  const sidecar = await world.sidecar(place, {
    ...pgbouncerEnvironment(pool),
    PATRONI_INJECTOR_RELOAD_PGBOUNCER_RECONNECT: "on",
    PATRONI_INJECTOR_DISCOVERY: "off",
  });
  await world.publish("10.0.0.1");
  await sidecar.said(FOLLOWED);
  await world.publish("10.0.0.2");
  await until("RECONNECT", () => reconnects(pool) >= 1, 3000);
});

test("PgBouncer is down while another primary is published: it hears of it when it is back", async (t) => {
  const world = await World.open(t);
  const pool = await pooler(t);
  const { sidecar, metrics } = await poolersSidecar(world, consoleOf(pool));
  await world.publish("10.0.0.1");
  await sidecar.said(FOLLOWED);
  await pool.halt();
  await world.publish("10.0.0.2");
  await until("it says so", () => said(sidecar).includes("PgBouncer cannot be told to reconnect"), 15_000);
  assert.match(await metrics(), /sidecar_reconnects_total\{result="failed"\} 1\n/);
  const before = reconnects(pool);
  pool.startAgain();
  await until("RECONNECT", () => reconnects(pool) > before, 15_000);
  await sidecar.said(OTHER_PRIMARY);
});

test("the console's password is wrong, until the Secret is corrected", async (t) => {
  const world = await World.open(t);
  const folder = await mkdtemp(join(tmpdir(), "userlist-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  const users = join(folder, "users.txt");
  await writeFile(users, '"admin" "right"\n"watcher" ""\n', { mode: 0o644 });
  const pool = await pooler(t);
  const secret = join(folder, "secret");
  await mkdir(secret);
  await writeFile(join(secret, "password"), "wrong\n");
  await pool.configure(2, { settings: { auth_type: "scram-sha-256", auth_file: users } });
  process.kill(pool.pid, "SIGHUP");
  const { sidecar } = await poolersSidecar(world, {
    ...consoleOf(pool),
    PATRONI_INJECTOR_RELOAD_PGBOUNCER_DIR: secret,
  });
  await world.publish("10.0.0.1");
  await sidecar.said(FOLLOWED);
  await world.publish("10.0.0.2");
  const line = await sidecar.said("PgBouncer cannot be told to reconnect");
  assert.match(String(line.problem), /password|authentication/i);
  assert.equal(reconnects(pool), 0);
  await writeFile(join(secret, "password"), "right\n");
  await sidecar.said(OTHER_PRIMARY);
  assert.ok(reconnects(pool) >= 1);
});
