import assert from "node:assert/strict";
import { test } from "node:test";
import { at } from "../../../src/json/value.ts";
import { until } from "../kube-api/support.ts";
import { NAMESPACE, startWorld, type World } from "./world.ts";

const SETS = `/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets`;

const hasBinding = (world: World, cluster: string, account: string): boolean =>
  world.api.get(
    "rolebindings.rbac.authorization.k8s.io",
    NAMESPACE,
    `patroni-injector.${cluster}.${account}`,
  ) !== undefined;

test("two workloads of one scope are one cluster, and each has its permissions before it has a pod", async (t) => {
  const world = await startWorld(t, { pods: false });
  await world.addStatefulSet({ name: "orders-a", account: "a" });
  world.controller();
  await until("the slice is there", () => world.slice !== undefined);
  const uid = at(world.service(), "metadata", "uid");

  await world.addStatefulSet({ name: "orders-b", account: "b" });
  await until("the second has its permissions", () => hasBinding(world, "orders", "b"));
  assert.ok(hasBinding(world, "orders", "a"));
  assert.equal(at(world.service(), "metadata", "uid"), uid, "they share the Services");

  await world.send("DELETE", `${SETS}/orders-a`);
  await until("those of the first are gone", () => !hasBinding(world, "orders", "a"));
  assert.ok(hasBinding(world, "orders", "b"));
  assert.equal(at(world.service(), "metadata", "annotations", "patroni-injector.io/unused-since"), undefined);
});

test("a ServiceAccount is told to be shared as soon as a second cluster uses it, of both", async (t) => {
  const world = await startWorld(t, { pods: false });
  await world.addStatefulSet();
  const controller = world.controller();
  await until("the permissions are there", () => hasBinding(world, "orders", "orders"));
  await until("all was looked at", () => controller.depth === 0);
  const told = () =>
    world.logged
      .filter(({ reason }) => reason === "shared-serviceaccount")
      .map(({ cluster }) => cluster)
      .sort();
  assert.deepEqual(told(), []);

  await world.addStatefulSet({ name: "other", scope: "other" });
  await until("both clusters are told of", () => told().length === 2);
  assert.deepEqual(told(), [`${NAMESPACE}/orders`, `${NAMESPACE}/other`]);
});
