import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { raw, until } from "../kube-api/support.ts";
import { NAMESPACE, startWorld, type World } from "./world.ts";

const SERVICES = `/api/v1/namespaces/${NAMESPACE}/services`;
const ENDPOINTS = `/api/v1/namespaces/${NAMESPACE}/endpoints`;
const SLICES = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`;
const NAME = "orders-primary";
const PORTS = [{ name: "tcp-postgres", port: 5432, targetPort: 5432, protocol: "TCP" }];

const mirrored = {
  metadata: {
    name: `${NAME}-x7k2p`,
    labels: {
      "kubernetes.io/service-name": NAME,
      "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
    },
  },
  addressType: "IPv4",
  endpoints: [{ addresses: ["10.0.0.1"] }],
};

/** What the Events say, as `reason: note`. */
async function told(world: World): Promise<string[]> {
  const { body } = await raw(world.api, "GET", `/apis/events.k8s.io/v1/namespaces/${NAMESPACE}/events`);
  return objectsIn(body.items).map(({ reason, note }) => `${String(reason)}: ${String(note)}`);
}

async function untilTold(world: World, text: string): Promise<void> {
  for (let tries = 0; !(await told(world)).some((line) => line.startsWith(text)); tries++) {
    assert.ok(tries < 100, `no Event "${text}": ${(await told(world)).join("\n")}`);
    await delay(50);
  }
}

const OCCUPIED: Readonly<Record<string, JsonObject>> = {
  "a selector": { spec: { ports: PORTS, selector: { role: "master" } } },
  "an ExternalName": { spec: { type: "ExternalName", externalName: "db.example" } },
  "another owner": {
    metadata: {
      ownerReferences: [{ apiVersion: "v1", kind: "Thing", name: "it", uid: "u", controller: true }],
    },
    spec: { ports: PORTS },
  },
};

for (const [what, service] of Object.entries(OCCUPIED)) {
  test(`publishes nothing at a Service with ${what}, and says so`, async (t) => {
    const world = await startWorld(t);
    const metadata = { ...(service.metadata as JsonObject | undefined), name: NAME };
    await world.post(SERVICES, { ...service, metadata });
    const controller = world.controller();
    await untilTold(world, `service-occupied: Service ${NAME}`);
    await until("the queue is empty", () => controller.depth === 0);
    assert.equal(world.slice, undefined);
    assert.equal((await told(world)).filter((line) => line.startsWith("service-occupied")).length, 1);
  });
}

test("gives way where a Service gets another source later, and comes back with its term", async (t) => {
  const world = await startWorld(t);
  world.controller();
  await world.untilPublished(world.cluster.primary);
  const term = at(world.slice, "metadata", "annotations", "patroni-injector.io/term");
  const foreign = {
    ...mirrored,
    metadata: { name: "somebody", labels: { "kubernetes.io/service-name": NAME } },
  };
  await world.post(SLICES, foreign);
  await until("ours is gone", () => world.slice === undefined);
  await untilTold(world, "service-occupied");
  await world.send("DELETE", `${SLICES}/somebody`);
  await world.untilPublished(world.cluster.primary);
  assert.equal(at(world.slice, "metadata", "annotations", "patroni-injector.io/term"), term);
});

test("leaves Endpoints of a user's Service alone until it is told to take over", async (t) => {
  const world = await startWorld(t);
  await world.post(SERVICES, { metadata: { name: NAME }, spec: { ports: PORTS } });
  await world.post(ENDPOINTS, { metadata: { name: NAME }, subsets: [{ addresses: [{ ip: "10.0.0.1" }] }] });
  await world.post(SLICES, mirrored);
  const controller = world.controller();
  await untilTold(world, "service-occupied");
  await until("the queue is empty", () => controller.depth === 0);
  const label = () => {
    const labels = world.api.get("endpoints", NAMESPACE, NAME)?.metadata.labels;
    return labels?.["endpointslice.kubernetes.io/skip-mirror"];
  };
  assert.equal(label(), undefined);

  await world.patch(`${SERVICES}/${NAME}`, {
    metadata: { annotations: { "patroni-injector.io/take-over": "true" } },
  });
  await until("it is put aside", () => label() === "true");
  await delay(300);
  assert.equal(world.slice, undefined, "as long as the mirrored slice is there, there would be two sources");
  await world.send("DELETE", `${SLICES}/${mirrored.metadata.name}`); // as the mirroring controller does
  await world.untilPublished(world.cluster.primary);

  // A shell loop goes on patching its Endpoints, and takes the label away with it: that does no harm.
  await world.patch(`${ENDPOINTS}/${NAME}`, {
    metadata: { labels: { "endpointslice.kubernetes.io/skip-mirror": null } },
    subsets: [{ addresses: [{ ip: "10.0.0.2" }] }],
  });
  await until("it is put aside again", () => label() === "true");
  await world.untilPublished(world.cluster.primary);
});
