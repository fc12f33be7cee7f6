import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { at, type JsonObject } from "../../../src/json/value.ts";
import { until } from "../kube-api/support.ts";
import { NAMESPACE, startWorld, type World } from "./world.ts";

const SLICES = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`;
const SLICE = `${SLICES}/orders-primary`;
const SERVICE = `/api/v1/namespaces/${NAMESPACE}/services/orders-primary`;
const ROLE = "patroni-injector.orders.orders";
const ROLES = `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}/roles`;
const TERM = "patroni-injector.io/term";
/** Higher than what the simulated cluster is on: its primary is an old one to a slice that has seen this. */
const NEWER = "7391026471882319361/9";

const termOf = (slice: JsonObject | undefined) => at(slice, "metadata", "annotations", TERM);

/** The term as it is noted outside the slice. */
function noted(world: World): unknown {
  const role = world.api.get("roles.rbac.authorization.k8s.io", NAMESPACE, ROLE);
  const note = role?.metadata.annotations?.["patroni-injector.io/kept"];
  return note === undefined ? undefined : JSON.parse(note).annotations[TERM];
}

/** A cluster whose primary was restored to an older timeline than the slice has seen, and a controller that has seen that. */
async function afterRestore(world: World) {
  const controller = world.controller();
  await world.untilPublished(world.cluster.primary);
  await world.patch(SLICE, { metadata: { annotations: { [TERM]: NEWER } }, endpoints: [] });
  await until("the term is noted", () => noted(world) === NEWER);
  return controller;
}

/** From now on nobody makes a slice: the controller dies between the deletion and the creation. */
function holdUp(world: World) {
  return world.api.faults.add({
    kind: "status",
    status: 503,
    match: { resource: "endpointslices.discovery.k8s.io", verb: "create" },
  });
}

async function refuses(world: World): Promise<void> {
  await until("there is a slice again", () => world.slice !== undefined);
  await until("it is refused", () => world.logged.some(({ reason }) => reason === "term-refused"));
  assert.equal(termOf(world.slice), NEWER);
  assert.deepEqual(world.published, []);
}

describe("a slice that is made again", { concurrency: true }, () => {
  test("a slice that gave way goes on with its term in a controller that did not see it", async (t) => {
    const world = await startWorld(t);
    const first = await afterRestore(world);
    const foreign = {
      metadata: { name: "somebody", labels: { "kubernetes.io/service-name": "orders-primary" } },
    };
    await world.post(SLICES, { ...foreign, addressType: "IPv4", endpoints: [], ports: [] });
    await until("ours is gone", () => world.slice === undefined);
    await first.stop();
    world.logged.length = 0;
    await world.send("DELETE", `${SLICES}/somebody`);
    world.controller("two");
    await refuses(world);
  });

  test("a slice that somebody deleted, and with it its Service, goes on after the controller was killed", async (t) => {
    const world = await startWorld(t);
    await world.post(`/api/v1/namespaces/${NAMESPACE}/services`, {
      metadata: { name: "orders-primary" },
      spec: { ports: [{ port: 5432 }] },
    });
    const first = await afterRestore(world);
    const held = holdUp(world);
    await world.send("DELETE", SLICE);
    await world.send("DELETE", SERVICE);
    await until("the controller has tried", () => held.hits > 0);
    await first.stop();
    held.remove();
    world.logged.length = 0;
    world.controller("two");
    await refuses(world);
  });

  test("where every memory is lost, a primary is published once the DCS has named it for longer than its TTL", async (t) => {
    const world = await startWorld(t, { kubernetesDcs: true });
    const first = await afterRestore(world);
    await first.stop();
    await world.send("DELETE", SLICE);
    await world.send("DELETE", `${ROLES}/${ROLE}`);
    world.controller("two");
    await until("there is a slice again", () => world.slice !== undefined);
    assert.equal(termOf(world.slice), "unknown");
    assert.equal(noted(world), "unknown");
    const began = performance.now();
    await world.untilPublished(world.cluster.primary);
    const took = performance.now() - began;
    assert.ok(took > 1500, `the TTL is 2 s, and it was published after ${took} ms`);
    assert.equal(termOf(world.slice), "7391026471882319361/1");
    await until("the term is noted", () => noted(world) === "7391026471882319361/1");
  });

  test("a slice goes on with its term where it was deleted before anybody could note it", async (t) => {
    const world = await startWorld(t);
    world.controller();
    await world.untilPublished(world.cluster.primary);
    world.api.faults.add({
      kind: "status",
      status: 503,
      times: 1,
      match: { resource: "roles.rbac.authorization.k8s.io", verb: "patch" },
    });
    await world.patch(SLICE, { metadata: { annotations: { [TERM]: NEWER } }, endpoints: [] });
    await world.send("DELETE", SLICE);
    await refuses(world);
    await delay(100);
    assert.equal(noted(world), NEWER);
  });
});
