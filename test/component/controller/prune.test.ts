import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { at, type JsonObject } from "../../../src/json/value.ts";
import { until } from "../kube-api/support.ts";
import { NAMESPACE, startWorld, type World } from "./world.ts";

const ROLE = "patroni-injector.orders.orders";
const SERVICES = `/api/v1/namespaces/${NAMESPACE}/services`;
const SET = `/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets/orders`;
const DAY_MS = 24 * 3_600_000;

const hasAccess = ({ api }: World): boolean =>
  ["roles", "rolebindings"].some(
    (plural) => api.get(`${plural}.rbac.authorization.k8s.io`, NAMESPACE, ROLE) !== undefined,
  );
const stampOn = (world: World, name = "orders-primary") =>
  at(world.service(name), "metadata", "annotations", "patroni-injector.io/unused-since");

const setStamp = (world: World, name: string, stamp: string, spec: JsonObject = {}) =>
  world.patch(`${SERVICES}/${name}`, {
    metadata: { annotations: { "patroni-injector.io/unused-since": stamp } },
    spec,
  });

test("a workload that goes and comes back has its Services, with the address that they had", async (t) => {
  const world = await startWorld(t, { pods: false });
  await world.addStatefulSet();
  world.controller();
  await until("the slice is there", () => world.slice !== undefined);
  for (const name of ["orders-primary", "orders-headless"]) {
    assert.equal(at(world.service(name), "metadata", "ownerReferences"), undefined, "nobody takes it along");
  }
  const uid = at(world.service(), "metadata", "uid");

  await world.send("DELETE", SET);
  await until("its permissions are gone", () => !hasAccess(world));
  await until("its Services are marked", () =>
    ["orders-primary", "orders-headless"].every((name) => stampOn(world, name) !== undefined),
  );
  const stamp = Date.parse(String(stampOn(world)));
  assert.ok(Math.abs(Date.now() - stamp) < 60_000, String(stampOn(world)));
  assert.notEqual(world.slice, undefined, "the slice goes with its Service");

  await world.addStatefulSet();
  await until("its permissions are back", () => hasAccess(world));
  await until("its Services are used again", () =>
    ["orders-primary", "orders-headless"].every((name) => stampOn(world, name) === undefined),
  );
  assert.equal(at(world.service(), "metadata", "uid"), uid);
});

test("after a day the Services go, whoever leads by then; a LoadBalancer stays", async (t) => {
  const world = await startWorld(t, { pods: false });
  await world.addStatefulSet();
  const first = world.controller();
  await until("the slice is there", () => world.slice !== undefined);
  await world.send("DELETE", SET);
  await until("the Services are marked", () => stampOn(world, "orders-headless") !== undefined);
  await until("all is done", () => first.depth === 0);
  await first.stop();

  const almost = new Date(Date.now() - DAY_MS + 60_000).toISOString();
  await setStamp(world, "orders-headless", almost);
  const second = world.controller("two");
  await until("all was looked at", () => second.synced && second.depth === 0);
  await delay(100);
  assert.equal(stampOn(world, "orders-headless"), almost, "it neither goes nor begins anew");

  const past = new Date(Date.now() - DAY_MS - 60_000).toISOString();
  await setStamp(world, "orders-primary", past, { type: "LoadBalancer" });
  await setStamp(world, "orders-headless", past);
  await until("the Service is gone", () => world.service("orders-headless") === undefined);
  await until("all was looked at", () => second.depth === 0);
  assert.notEqual(world.service("orders-primary"), undefined);
});

test("opting out takes nothing from pods that carry the sidecar; later their Service goes on to lead to the primary", async (t) => {
  const world = await startWorld(t, { sidecars: true });
  const controller = world.controller();
  await until("the permissions are there", () => hasAccess(world));
  await world.patch(`/api/v1/namespaces/${NAMESPACE}`, {
    metadata: { labels: { "patroni-injector.io/injection": "disabled" } },
  });
  await until("all was looked at", () => controller.depth === 0);
  await delay(200);
  assert.ok(hasAccess(world));

  for (const member of world.cluster.members) {
    await world.removePod(member.name);
    await world.addPod(member, { sidecar: false });
  }
  await until("the permissions are gone", () => !hasAccess(world));
  await world.untilPublished(world.cluster.primary);
  const next = world.cluster.members.find((member) => member !== world.cluster.primary);
  assert.ok(next);
  await world.cluster.switchover(next);
  await world.untilPublished(world.cluster.primary);
  assert.equal(stampOn(world), undefined, "there is a workload");
  await world.removePod(next.name);
  await until("the address of nobody is gone", () => world.published?.length === 0);
});

test("a pod that no selector finds any more, and carries the sidecar, keeps what it needs", async (t) => {
  const world = await startWorld(t, { sidecars: true });
  const controller = world.controller();
  await until("the permissions are there", () => hasAccess(world));
  for (const { name } of world.cluster.members) {
    await world.patch(`/api/v1/namespaces/${NAMESPACE}/pods/${name}`, {
      metadata: { labels: { application: "something-else" } },
    });
  }
  await until("all was looked at", () => controller.depth === 0);
  await delay(300);
  assert.ok(hasAccess(world));
  assert.equal(stampOn(world), undefined);
});
