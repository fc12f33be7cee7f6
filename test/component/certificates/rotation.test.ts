import assert from "node:assert/strict";
import { it } from "node:test";
import { ApiServers, Load } from "./api-servers.ts";
import { quiet, startScene } from "./scene.ts";

const DAY = 24 * 3_600_000;

/** So many renewals of the leaf are watched; the environment's ROTATIONS asks for more. */
const ROTATIONS = Number(process.env.ROTATIONS ?? 3);

it(`${ROTATIONS} rotations under load: no call fails, no connection ends, every leaf is accepted at every moment`, {
  timeout: 30_000 + ROTATIONS * 3000,
}, async (t) => {
  const { api, time, replicas } = await startScene(t, 2);
  const looks = () => Promise.all(replicas.map((replica) => replica.look()));
  await looks();
  await looks();
  await quiet(replicas);
  time.pass(61_000);

  const judges = new ApiServers(api, time);
  judges.watch(t, replicas);
  const [old, fresh] = [new Load(replicas, judges, true), new Load(replicas, judges, false)];
  t.after(() => Promise.all([old.stop(), fresh.stop()]));
  const made = (what: string) =>
    replicas.flatMap((replica) => replica.made).filter((one) => one === what).length;
  const before = made("leaf");
  for (let day = 0; made("leaf") - before < ROTATIONS || made("authority") < 2; day++) {
    time.pass(DAY);
    // Each replica has its turn to be late by a day.
    const [late] = replicas.slice(day % 3);
    for (const replica of replicas) if (replica !== late || day % 3 === 2) await replica.look();
    await quiet(replicas);
    await fresh.lap();
    assert.deepEqual([judges.refusals, old.failures, fresh.failures], [[], [], []], `day ${day}`);
  }
  await Promise.all([old.stop(), fresh.stop()]);
  assert.equal(old.connections, replicas.length, "a connection that was open was dropped");
  assert.ok(fresh.connections > ROTATIONS && fresh.answered > ROTATIONS, `${fresh.answered} calls`);
  t.diagnostic(
    `${made("leaf")} leaves, ${made("authority")} authorities, ${made("retirement")} retired; ${old.answered + fresh.answered} calls, ${judges.judged} judgements`,
  );
  assert.ok(made("authority") >= ROTATIONS / 3 + 1 && made("retirement") >= Math.floor(ROTATIONS / 4));
});
