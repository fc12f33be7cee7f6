import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { PEER_AUTHENTICATIONS } from "../../../demo/kube-api/crds.ts";
import { at, type JsonObject } from "../../../src/json/value.ts";
import { until } from "../kube-api/support.ts";
import { NAMESPACE, startWorld } from "./world.ts";

const ROLE = "patroni-injector.orders.orders";

test("makes what a cluster needs, and publishes the primary of members without a sidecar", async (t) => {
  const world = await startWorld(t, { kubernetesDcs: true });
  world.controller();
  const { primary } = world.cluster;
  await world.untilPublished(primary);

  assert.deepEqual(at(world.service("orders-headless"), "spec", "selector"), {
    "patroni-injector.io/cluster": "orders",
  });
  assert.equal(at(world.service(), "spec", "selector"), undefined);
  const slice = world.slice;
  assert.equal(at(slice, "metadata", "labels", "kubernetes.io/service-name"), "orders-primary");
  assert.equal(slice?.addressType, "IPv4");
  const role = world.api.get("roles.rbac.authorization.k8s.io", NAMESPACE, ROLE) as JsonObject | undefined;
  assert.deepEqual(role?.rules, [
    {
      apiGroups: ["discovery.k8s.io"],
      resources: ["endpointslices"],
      resourceNames: ["orders-primary"],
      verbs: ["get", "watch", "update"],
    },
    { apiGroups: [""], resources: ["endpoints"], resourceNames: ["orders"], verbs: ["get", "watch"] },
  ]);
  const binding = world.api.get("rolebindings.rbac.authorization.k8s.io", NAMESPACE, ROLE) as JsonObject;
  assert.deepEqual(binding.subjects, [{ kind: "ServiceAccount", name: "orders", namespace: NAMESPACE }]);
});

test("makes everything as soon as a workload is seen, before there is a pod", async (t) => {
  const world = await startWorld(t, { pods: false });
  await world.addStatefulSet();
  world.controller();
  await until("the slice is there", () => world.slice !== undefined);
  assert.deepEqual(world.published, []);
});

test("leaves a namespace alone that has not opted in, unless its pods carry our sidecar", async (t) => {
  const world = await startWorld(t, { opted: false });
  const controller = world.controller();
  await until("all was looked at", () => controller.synced && controller.depth === 0);
  await delay(300);
  assert.equal(world.service(), undefined);

  const member = world.cluster.members[0];
  assert.ok(member);
  await world.removePod(member.name);
  await world.addPod(member, { sidecar: true });
  await world.untilPublished(world.cluster.primary);
});

test("uses a Service that somebody else made, as it is", async (t) => {
  const world = await startWorld(t);
  const ports = [{ name: "db", port: 6543, targetPort: 5432, protocol: "TCP" }];
  await world.post(`/api/v1/namespaces/${NAMESPACE}/services`, {
    metadata: { name: "orders-primary" },
    spec: { ports },
  });
  const before = world.service();
  world.controller();
  await world.untilPublished(world.cluster.primary);
  assert.deepEqual(world.service(), before);
  const [port] = (world.slice?.ports ?? []) as JsonObject[];
  assert.equal(port?.name, "db");
});

test("excludes the same ports for Istio, once Istio is there", async (t) => {
  const world = await startWorld(t);
  world.controller();
  await world.untilPublished(world.cluster.primary);
  await world.post(
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    PEER_AUTHENTICATIONS as JsonObject,
  );
  const policy = (): JsonObject | undefined =>
    world.api.get("peerauthentications.security.istio.io", NAMESPACE, "patroni-injector-orders") as never;
  await until("there is a policy", () => policy() !== undefined);
  const headless = at(world.service("orders-headless"), "spec", "ports") as { port: number }[];
  assert.deepEqual(
    Object.keys(at(policy(), "spec", "portLevelMtls") as object).sort(),
    headless.map(({ port }) => String(port)).sort(),
  );
});

test("repairs its own objects", async (t) => {
  const world = await startWorld(t);
  world.controller();
  await world.untilPublished(world.cluster.primary);
  const services = `/api/v1/namespaces/${NAMESPACE}/services`;
  await world.patch(`${services}/orders-headless`, { spec: { publishNotReadyAddresses: false } });
  await until(
    "it is repaired",
    () => at(world.service("orders-headless"), "spec", "publishNotReadyAddresses") === true,
  );
  const role = `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}/roles/${ROLE}`;
  await world.send("DELETE", role);
  await until(
    "it is made again",
    () => world.api.get("roles.rbac.authorization.k8s.io", NAMESPACE, ROLE) !== undefined,
  );
});

test("writes nothing in the steady state, nor does one that comes anew", async (t) => {
  const world = await startWorld(t);
  const first = world.controller();
  await world.untilPublished(world.cluster.primary);
  const term = String(at(world.slice, "metadata", "annotations", "patroni-injector.io/term"));
  const noted = (): string => {
    const role = world.api.get("roles.rbac.authorization.k8s.io", NAMESPACE, ROLE);
    return role?.metadata.annotations?.["patroni-injector.io/kept"] ?? "";
  };
  await until("what was published is noted", () => noted().includes(term));
  await until("the queue is empty", () => first.synced && first.depth === 0);
  await first.stop();
  world.api.audit.clear();
  const controller = world.controller();
  await until("all was read", () => controller.synced);
  controller.resync();
  await until("all was looked at", () => controller.depth === 0);
  await delay(2500); // two seconds of asking members
  // One that comes anew tells its Events again, and learns that they were told.
  const asked = world.api.audit.entries.filter(
    ({ verb, resource }) => !["watch", "list"].includes(verb) && !resource.startsWith("events"),
  );
  assert.deepEqual(asked, [], "neither a write nor a read");
});
