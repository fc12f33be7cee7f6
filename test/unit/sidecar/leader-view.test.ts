import assert from "node:assert/strict";
import { test } from "node:test";
import { LeaderView } from "../../../src/sidecar/leader-view.ts";

const leader = (name: string, more: object = {}) => ({
  metadata: { annotations: { leader: name, ...more } },
});

test("the leader object says who leads, for how long a lease lasts, and how far the leader is", () => {
  const view = new LeaderView();
  assert.equal(view.isWatched, false);
  const now = performance.now();
  assert.equal(view.heard(leader("pg-0", { ttl: "20", optime: "4096" }), now - 1000), 4096);
  assert.equal(view.isWatched, true);
  const { namedForMs, ttlMs } = view.tenureOf("pg-0");
  assert.ok(namedForMs >= 1000 && namedForMs < 1500);
  assert.equal(ttlMs, 20_000);
  assert.equal(view.tenureOf("pg-1").namedForMs, 0);
  view.interrupted();
  assert.equal(view.isWatched, false);
  assert.equal(view.tenureOf("pg-0").namedForMs, 0);
});

test("an object that is empty, or was deleted, names nobody", () => {
  const view = new LeaderView();
  const now = performance.now();
  view.heard(leader("pg-0"), now);
  view.heard(leader(""), now);
  assert.equal(view.tenureOf("").namedForMs, 0);
  view.heard(undefined, now);
  assert.equal(view.tenureOf("pg-0").namedForMs, 0);
});

test("with another DCS the member's own /cluster says it, asked once a second", async (t) => {
  t.mock.timers.enable({ apis: ["Date"] });
  let now = 100_000;
  t.mock.method(performance, "now", () => now);
  let asked = 0;
  let answer: string | undefined = "pg-0";
  const patroni = {
    leader: async () => {
      asked++;
      return answer;
    },
    ttlMs: async () => 20_000,
  };
  const view = new LeaderView();
  const pass = async (ms: number) => {
    now += ms;
    await view.ask(patroni);
  };
  for (let second = 0; second < 10; second++) {
    await pass(500);
    await pass(500);
  }
  assert.equal(asked, 10);
  assert.deepEqual(view.tenureOf("pg-0"), { namedForMs: 9500, ttlMs: 20_000 });

  answer = undefined;
  await pass(1000);
  answer = "pg-0";
  await pass(1000);
  assert.equal(view.tenureOf("pg-0").namedForMs, 0, "an answer that did not come is a break");

  await pass(4000);
  assert.equal(view.tenureOf("pg-0").namedForMs, 4000);
  await pass(6000);
  assert.equal(view.tenureOf("pg-0").namedForMs, 0, "a long silence of our own is a break");
});
