import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../kube-api/support.ts";
import { NAMESPACE, startWorld } from "./world.ts";

test("makes the Services, the slice and the permissions of a cluster, and publishes the primary of members without a sidecar", async (t) => {
  const world = await startWorld(t);
  world.controller();
  await world.untilPublished(world.cluster.primary);
  assert.ok(world.service("orders-headless"));
  assert.ok(world.service());
  assert.ok(world.api.get("roles.rbac.authorization.k8s.io", NAMESPACE, "patroni-injector.orders.orders"));
});

test("writes nothing in the steady state", async (t) => {
  const world = await startWorld(t);
  const controller = world.controller();
  await world.untilPublished(world.cluster.primary);
  await until("the queue is empty", () => controller.synced && controller.depth === 0);
  let writes = 0;
  const end = world.api.onChange(() => writes++);
  controller.resync();
  await until("all was looked at", () => controller.depth === 0);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  end();
  assert.equal(writes, 0);
});
