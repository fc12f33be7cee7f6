import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type KubeApi, startKubeApi } from "../../../demo/kube-api/server.ts";
import { Leadership } from "../../../src/controller/leadership/leadership.ts";
import { leaseRecord } from "../../../src/controller/leadership/lease.ts";
import { Objects } from "../../../src/controller/objects.ts";
import { at, type JsonObject } from "../../../src/json/value.ts";
import { until } from "../kube-api/support.ts";
import { connectionTo, quietLogger, startWorld } from "./world.ts";

const TIMES = { durationMs: 1500, deadlineMs: 1000, retryMs: 100 };
const LEASE = "leases.coordination.k8s.io";

/** An API server, and candidates who are all stopped before it is. */
async function startScene(t: TestContext) {
  const api = await startKubeApi();
  const log: string[] = [];
  const candidates: Leadership[] = [];
  t.after(async () => {
    await Promise.all(candidates.map((each) => each.stop()));
    await api.close();
  });
  return {
    api,
    /** Every beginning and end of anybody's work. */
    log,
    candidate(identity: string): Leadership {
      const leadership = new Leadership({
        namespace: "default",
        name: "lead",
        identity,
        objects: new Objects(connectionTo(api), 500),
        logger: quietLogger(),
        times: TIMES,
        lead() {
          log.push(`${identity} begins`);
          return { stop: async () => void log.push(`${identity} ends`) };
        },
      });
      candidates.push(leadership);
      return leadership;
    },
  };
}

const leaseIn = (api: KubeApi) => api.get(LEASE, "default", "lead") as JsonObject | undefined;

test("one of two leads; the other follows at once when the first one is stopped", async (t) => {
  const { api, log, candidate } = await startScene(t);
  const one = candidate("one");
  await until("one leads", () => one.isLeader);
  const two = candidate("two");
  await delay(2 * TIMES.durationMs);
  assert.deepEqual(log, ["one begins"]);
  assert.match(String(at(leaseIn(api), "spec", "renewTime")), /\.[0-9]{6}Z$/);

  const began = performance.now();
  await one.stop();
  await until("two leads", () => two.isLeader);
  assert.ok(performance.now() - began < TIMES.durationMs, "the lease was let go");
  assert.deepEqual(log, ["one begins", "one ends", "two begins"]);
  assert.equal(at(leaseIn(api), "spec", "leaseTransitions"), 1);
});

test("a leader that cannot renew ends before another may begin", async (t) => {
  const { api, candidate } = await startScene(t);
  const one = candidate("one");
  await until("one leads", () => one.isLeader);
  const deaf = api.faults.add({ kind: "hang", match: { resource: LEASE } });
  await until("one has ended", () => !one.isLeader);
  deaf.remove();
  assert.ok(leaseRecord(leaseIn(api) ?? {}).holder === "one", "nobody else could have taken it by then");
});

test("waits for a lease to expire by its own clock, whatever the times in it say", async (t) => {
  const { api, candidate } = await startScene(t);
  const world = new Objects(connectionTo(api), 500);
  await world.create("leases", {
    metadata: { namespace: "default", name: "lead" },
    spec: { holderIdentity: "gone", leaseDurationSeconds: 1, renewTime: "2001-01-01T00:00:00.000000Z" },
  });
  const began = performance.now();
  const one = candidate("one");
  await until("one leads", () => one.isLeader);
  assert.ok(performance.now() - began >= 1000);
});

test("a wall clock that jumps by months, forwards or backwards, takes the lease from nobody", async (t) => {
  const { log, candidate } = await startScene(t);
  const now = Date.now();
  const one = candidate("one");
  await until("one leads", () => one.isLeader);
  candidate("two");
  t.mock.timers.enable({ apis: ["Date"], now });
  const months = 90 * 86_400_000;
  for (const jump of [months, -months, 10 * months]) {
    t.mock.timers.setTime(now + jump);
    await delay(4 * TIMES.retryMs);
  }
  assert.deepEqual(log, ["one begins"]);
});

test("two controllers at once, one of them paused before: nothing is undone", async (t) => {
  const world = await startWorld(t);
  const one = world.controller("one");
  await world.untilPublished(world.cluster.primary);
  // `one` sees and reaches nothing for a while, as a paused process; the other one takes over.
  const frozen = world.api.faults.add({ kind: "watch-silent" });
  const [, second] = world.cluster.members;
  assert.ok(second);
  await world.cluster.switchover(second);
  frozen.remove();
  world.controller("two");
  await world.untilPublished(second);
  const settled = at(world.slice, "metadata", "annotations", "patroni-injector.io/term");
  one.resync(); // works on what it saw long ago
  await delay(2500);
  assert.equal(world.published?.join(), second.host);
  assert.equal(at(world.slice, "metadata", "annotations", "patroni-injector.io/term"), settled);
});
