import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Pooled } from "../manifests/pgbouncer.ts";
import type { Form } from "../rig/deploy.ts";
import { keepFigure, keepSpread } from "../rig/figures.ts";
import { until } from "../rig/kubectl.ts";
import { Pool } from "../rig/pool.ts";
import { askForReload, giveCertificate, PIPELINE, TLS_SECRET } from "../rig/reload.ts";
import { type Answer, ReloadCaller } from "../rig/reload-caller.ts";
import { sidecarMemories } from "../rig/sidecars.ts";
import { describeReconnect } from "./reconnect.ts";
import { extent } from "./selection.ts";
import { setStage } from "./stage.ts";

const FORM: Form = { name: "reload-pgbouncer", dcs: "configmaps", synchronous: false, ttlSeconds: 20 };
const TIMEOUT = { timeout: 400_000 };
const TURNS = 20;
/** From the change of the ConfigMap to the proof, where an annotation is touched. Milliseconds. */
const PROVEN_WITHIN_MS = 10_000;
/** The same once the files are in the pod. Milliseconds. */
const LOADED_WITHIN_MS = 300;
const MEMORY_BYTES = 64 * 2 ** 20;
/** As many calls of one component wait at a time; it takes a few more connections than that. */
const MOST_WAITERS = 256;

/** What is wrong with the file, and PgBouncer's or our words for it. */
const BROKEN: readonly [what: string, pooled: Pooled, message: RegExp][] = [
  [
    "a value that is none",
    { settings: { max_client_conn: "lots" } },
    /max_client_conn is "\d+" in PgBouncer, and lots/,
  ],
  [
    "a setting that does not exist",
    { settings: { max_client_cnn: 5 } },
    /PgBouncer has no setting max_client_cnn/,
  ],
  ["a line that means nothing", { more: ["what is this"] }, /this line cannot be read/],
];

describe("the reload API in front of PgBouncer", { skip: extent === "quick" }, () => {
  const { deployed, saboteur } = setStage(FORM);
  let pool: Pool;
  let caller: ReloadCaller;
  /** Versions only grow, over all tests. */
  let version = 1;

  before(async () => {
    await giveCertificate(deployed());
    await askForReload(deployed(), TLS_SECRET);
    pool = new Pool(deployed(), "books-1");
    caller = await ReloadCaller.open(deployed(), pool.pod, PIPELINE, TLS_SECRET);
    const proven = async () => (await ask()).status === 200 || undefined;
    await until("the first version is proven", 120_000, proven);
  }, TIMEOUT);
  after(() => caller?.close());

  const ask = (asked = version, timeoutSeconds = 60): Promise<Answer> =>
    caller.reload("pgbouncer", asked, timeoutSeconds);

  const spread = (what: string, times: readonly number[]): number =>
    keepSpread(deployed().target, `PgBouncer: ${what}`, times);

  const keep = (what: string, value: number, unit: string) =>
    keepFigure(deployed().target, { kind: "number", what: `PgBouncer: ${what}`, value, unit });

  it(
    `a version that arrives late is waited for, and proven within ${PROVEN_WITHIN_MS / 1000} s`,
    TIMEOUT,
    async () => {
      const times: number[] = [];
      for (let turn = 0; turn < TURNS; turn++) {
        const began = performance.now();
        const waiting = ask(++version);
        await pool.configure(version, { settings: { max_client_conn: 1000 + version } });
        assertProven(await waiting, version);
        times.push(performance.now() - began);
      }
      assert.equal(await pool.setting("max_client_conn"), String(1000 + version));
      const p95 = spread("from before the change of its ConfigMap to the proof", times);
      assert.ok(p95 <= PROVEN_WITHIN_MS, times.map(Math.round).join(", "));
    },
  );

  it(`once the files are there, a version is proven within ${LOADED_WITHIN_MS} ms`, TIMEOUT, async () => {
    const answers: Answer[] = [];
    for (let turn = 0; turn < TURNS; turn++) {
      await pool.materialise(caller, ++version, { settings: { max_client_conn: 1000 + version } });
      const answer = await ask();
      assertProven(answer, version);
      answers.push(answer);
    }
    assert.equal(await pool.setting("max_client_conn"), String(1000 + version));
    const own = spread(
      "files there, to the proof, as the API says",
      answers.map(({ body }) => body.durationMs),
    );
    const callers = spread(
      "files there, to the proof, through a port-forward with TLS",
      answers.map(({ ms }) => ms),
    );
    assert.ok(own <= LOADED_WITHIN_MS && callers <= LOADED_WITHIN_MS, `${own} ms, ${callers} ms`);
  });

  it("a version that never arrives is told with what is there", TIMEOUT, async () => {
    const { status, body, ms } = await ask(version + 5, 2);
    assert.equal(status, 504);
    assert.equal(body.type, "https://patroni-injector.io/problems/version-not-materialised");
    assert.deepEqual([body.materialisedVersion, body.appliedVersion], [version, version]);
    assert.ok(ms >= 2000);
  });

  for (const [what, pooled, message] of BROKEN) {
    it(`${what} in pgbouncer.ini is told with its line, until it is mended`, TIMEOUT, async () => {
      const applied = version;
      await pool.materialise(caller, ++version, pooled);
      const { status, body } = await ask();
      assert.equal(status, 422, JSON.stringify(body));
      assert.equal(body.type, "https://patroni-injector.io/problems/configuration-invalid");
      assert.equal(body.appliedVersion, applied);
      const [error] = body.errors;
      assert.match(error.file, /\/pgbouncer\.ini$/);
      assert.ok(error.line > 3);
      assert.match(error.message, message);
      assert.equal((await caller.status("pgbouncer")).appliedVersion, applied);
      await pool.materialise(caller, ++version);
      assertProven(await ask(), version);
    });
  }

  it(
    "PgBouncer is killed: an error while it is down, and it works once the kubelet has started it",
    TIMEOUT,
    async () => {
      const restarted = await pool.kill(saboteur());
      await restarted();
      // The kubelet starts a container at once the first time, and after ten seconds the second.
      const again = await pool.kill(saboteur());
      const { status, body } = await ask();
      assert.equal(status, 502, JSON.stringify(body));
      assert.equal(body.type, "https://patroni-injector.io/problems/reload-rejected");
      assert.match(body.detail, /console cannot be reached: .*ECONNREFUSED/);
      await again();
      assertProven(await ask(), version);
    },
  );

  it("a hundred callers at once share reloads, and all have their proof", TIMEOUT, async () => {
    await pool.materialise(caller, ++version);
    const before = await pool.logged("RELOAD command issued");
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask()));
    for (const answer of answers) assertProven(answer, version);
    const reloads = (await pool.logged("RELOAD command issued")) - before;
    keep("100 callers at once: reloads", reloads, "");
    spread(
      "100 callers at once",
      answers.map(({ ms }) => ms),
    );
    assert.ok(reloads >= 1 && reloads < 100);
  });

  it(
    "more callers wait than may: the rest is told at once, and one reload answers all others",
    TIMEOUT,
    async () => {
      const before = await pool.logged("RELOAD command issued");
      const asked = ++version;
      const callers = Array.from({ length: MOST_WAITERS + 20 }, () => ask(asked));
      const waits = async () => (await caller.status("pgbouncer")).waiting === MOST_WAITERS || undefined;
      await until(`${MOST_WAITERS} callers wait`, 60_000, waits, 200);
      await pool.configure(asked);
      const answers = await Promise.all(callers);
      const count = (status: number) => answers.filter((answer) => answer.status === status).length;
      keep(`${answers.length} callers before the version is there: proven`, count(200), "");
      keep(`${answers.length} callers before the version is there: 429`, count(429), "");
      for (const answer of answers.filter(({ status }) => status === 200)) assertProven(answer, asked);
      assert.deepEqual([count(200), count(429)], [MOST_WAITERS, 20]);
      const reloads = (await pool.logged("RELOAD command issued")) - before;
      assert.ok(reloads <= 2, `${reloads} reloads`);
    },
  );

  describeReconnect(deployed, saboteur);

  it("after all of this no sidecar has ever had all of its memory", TIMEOUT, async () => {
    const memories = await sidecarMemories(await deployed().members.pods(), saboteur());
    assert.ok(memories.length > 0);
    for (const { peakBytes, oomKills } of memories) {
      assert.equal(oomKills, 0);
      assert.ok(peakBytes < MEMORY_BYTES, `${peakBytes}`);
    }
  });
});

/** Nobody is told of another version than the one that was asked for, which alone was there. */
function assertProven({ status, body }: Answer, version: number): void {
  assert.equal(status, 200, JSON.stringify(body));
  const { component, requestedVersion, appliedVersion, proof } = body;
  assert.deepEqual(
    { component, requestedVersion, appliedVersion, proof },
    { component: "pgbouncer", requestedVersion: version, appliedVersion: version, proof: "console" },
  );
}
