import assert from "node:assert/strict";
import { test } from "node:test";
import { AskedTenure } from "../../../src/primary/asked-tenure.ts";

/** A DCS that a member sees, a clock, and a tenure by it. */
function asking(leader: string | undefined, ttlMs: number | undefined) {
  const dcs = { leader, ttlMs, asked: 0 };
  const tenure = new AskedTenure();
  let now = 100_000;
  const source = {
    leader: async () => {
      dcs.asked++;
      return dcs.leader;
    },
    ttlMs: async () => dcs.ttlMs,
  };
  return {
    dcs,
    async pass(ms: number): Promise<void> {
      now += ms;
      await tenure.ask(source, () => now);
    },
    of: (member: string) => tenure.of(member, now),
  };
}

test("a tenure lasts from the first answer that named the member", async () => {
  const { pass, of } = asking("pg-0", 20_000);
  for (let second = 0; second < 10; second++) await pass(2000);
  assert.equal(of("pg-0").ttlMs, 20_000);
  assert.ok(of("pg-0").namedForMs >= 18_000);
  assert.equal(of("pg-1").namedForMs, 0);
});

test("the TTL is asked for until it is said", async () => {
  const { dcs, pass, of } = asking("pg-0", undefined);
  await pass(1000);
  assert.equal(of("pg-0").ttlMs, 30_000, "Patroni's default");
  dcs.ttlMs = 60_000;
  await pass(1000);
  assert.equal(of("pg-0").ttlMs, 60_000);
});

test("another leader, an answer that does not come, and a pause of our own end it", async () => {
  const breaks: ((way: ReturnType<typeof asking>) => Promise<void>)[] = [
    async ({ dcs, pass }) => {
      dcs.leader = "pg-1";
      await pass(1000);
      dcs.leader = "pg-0";
    },
    async ({ dcs, pass }) => {
      dcs.leader = undefined;
      await pass(1000);
      dcs.leader = "pg-0";
    },
    ({ pass }) => pass(10_000),
  ];
  for (const end of breaks) {
    const way = asking("pg-0", 20_000);
    for (let second = 0; second < 10; second++) await way.pass(1000);
    assert.ok(way.of("pg-0").namedForMs > 8000);
    await end(way);
    await way.pass(1000);
    assert.ok(way.of("pg-0").namedForMs < 8000);
  }
});
