import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { at } from "../../../src/json/value.ts";
import { until } from "../kube-api/support.ts";
import { body, PRIMARY, ScriptedMember, SYSTEM } from "../sidecar/scripted-member.ts";
import { NAMESPACE, startWorld, type World } from "./world.ts";

const SLICE = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices/orders-primary`;
const TTL_MS = 1000;

/** Names the leader, as Patroni's `/cluster` does, whatever the DCS is. */
const cluster = (leader: string) => ({
  code: 200,
  body: {
    members: [
      { name: "pg-0", role: leader === "pg-0" ? "leader" : "replica", state: "running", timeline: 1 },
      ...(leader === "pg-0" ? [] : [{ name: leader, role: "leader" }]),
    ],
  },
});

/** A primary on timeline 1, called pg-0 in Patroni, with a DCS that Kubernetes knows nothing of, behind a slice that has seen another term. */
async function restored(world: World, host: string, term: string): Promise<ScriptedMember> {
  const member = await new ScriptedMember("orders-0", host).start();
  world.endsWith(() => member.stop());
  member.others.set("/config", { code: 200, body: { ttl: TTL_MS / 1000, loop_wait: 1 } });
  member.others.set("/cluster", cluster("pg-1"));
  await world.addPod(member);
  world.controller();
  await until("there is a slice", () => world.slice !== undefined);
  await world.patch(SLICE, { metadata: { annotations: { "patroni-injector.io/term": term } } });
  member.answer = PRIMARY;
  return member;
}

const asked = (member: ScriptedMember) => member.asked.filter((path) => path === "/cluster").length;

describe("with a DCS other than Kubernetes the controller publishes", { concurrency: true }, () => {
  for (const [what, term, host] of [
    ["a lower timeline", `${SYSTEM}/9`, "127.28.0.1"],
    ["another system", "7000000000000000000/1", "127.28.0.2"],
  ] as const) {
    test(`${what} once the member's own /cluster has named it for longer than the TTL`, async (t) => {
      const world = await startWorld(t, { pods: false });
      const member = await restored(world, host, term);
      await until("the DCS is asked", () => asked(member) > 0);
      assert.deepEqual(world.published, [], "another leads there");
      member.others.set("/cluster", cluster("pg-0"));
      const began = performance.now();
      await world.untilPublished(member);
      const took = performance.now() - began;
      assert.ok(took > TTL_MS, `published after ${took} ms`);
      assert.equal(at(world.slice, "metadata", "annotations", "patroni-injector.io/term"), `${SYSTEM}/1`);
      const before = asked(member);
      await delay(1500);
      assert.equal(asked(member), before, "it is asked only while that matters");
    });
  }

  test("nothing while /cluster does not answer, whatever the member says of itself", async (t) => {
    const world = await startWorld(t, { pods: false });
    const member = await restored(world, "127.28.0.3", `${SYSTEM}/9`);
    member.others.set("/cluster", { code: 503, body: {} });
    member.answer = { code: 200, body: body("primary", "running") };
    await until("it is asked for longer than the TTL", () => asked(member) > TTL_MS / 1000 + 1);
    assert.deepEqual(world.published, []);
  });
});
