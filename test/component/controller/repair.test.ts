import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Caches } from "../../../src/controller/caches.ts";
import { sliceSkeleton } from "../../../src/controller/desired/primary-slice.ts";
import { gather } from "../../../src/controller/gather.ts";
import { Objects } from "../../../src/controller/objects.ts";
import { publishedUids } from "../../../src/controller/observer/due.ts";
import { PatroniAsker } from "../../../src/controller/observer/patroni.ts";
import { YOUNG_MS } from "../../../src/controller/repair/plan.ts";
import { Repairer } from "../../../src/controller/repair/repairer.ts";
import { ourSlice } from "../../../src/controller/slice/ours.ts";
import type { ClusterView, Finding } from "../../../src/controller/view.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { service } from "../../unit/controller/views.ts";
import { until } from "../kube-api/support.ts";
import { connectionTo, NAMESPACE, quietLogger, settings, startWorld, TIMES, type World } from "./world.ts";

const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
const SETS = `/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets`;
const SLICES = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`;
const KEY = `${NAMESPACE}/orders`;
const READY = [{ type: "Ready", status: "True" }];

/** Three members that came before the webhook, their workload, and the primary's slice. */
class Scene {
  readonly world: World;
  readonly repairer: Repairer;
  readonly told: string[] = [];
  readonly findings: Finding[] = [];
  readonly caches: Caches;
  #owner: JsonObject = {};

  static async start(t: TestContext): Promise<Scene> {
    const scene = new Scene(await startWorld(t, { pods: false }));
    await scene.#begin();
    return scene;
  }

  private constructor(world: World) {
    this.world = world;
    const connection = connectionTo(world.api);
    const objects = new Objects(connection, 5000);
    const patroni = new PatroniAsker(objects);
    this.caches = new Caches(connection, {
      ...{ settings: settings(), changed: () => undefined, istioSeen: () => undefined, times: TIMES },
      ...{ networkPolicies: false, sliceSeen: () => undefined, onInterrupted: () => undefined },
    });
    this.repairer = new Repairer({
      objects,
      clusters: () => [[KEY, this.view]],
      view: () => this.view,
      ask: (pod) => patroni.ask(pod),
      found: (_key, _view, findings) => void this.findings.splice(0, Number.POSITIVE_INFINITY, ...findings),
      evicted: (result) => void this.told.push(result),
      logger: quietLogger(),
      now: () => Date.now() + YOUNG_MS,
    });
    world.endsWith(() => this.caches.stop());
    world.endsWith(() => this.repairer.stop());
  }

  get view(): ClusterView {
    const { image: sidecarImage, port: sidecarPort } = settings().sidecar;
    const options = { openshift: false, sidecarPort, sidecarImage, suspension: undefined };
    return (
      gather(this.caches, { namespace: NAMESPACE, scope: "orders" }, options) ?? assert.fail("no cluster")
    );
  }

  async #begin(): Promise<void> {
    const { world } = this;
    await world.addStatefulSet();
    const revision = { currentRevision: "r", updateRevision: "r" };
    const status = { ...revision, replicas: 3, readyReplicas: 3, updatedReplicas: 3 };
    const { metadata } = world.api.get("statefulsets.apps", NAMESPACE, "orders") ?? assert.fail();
    await world.patch(`${SETS}/orders`, { spec: { replicas: 3 } });
    await world.patch(`${SETS}/orders/status`, { status });
    this.#owner = {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      name: "orders",
      uid: metadata.uid ?? "",
      controller: true,
    };
    for (const member of world.cluster.members) await this.create(member.name, false);
    await until("all was read", () => this.caches.synced());
    await this.#publish();
    await until("all is seen", () => {
      const { members, templates } = this.view;
      const isThere = members.length === 3 && members.every(({ ready }) => ready);
      const published = publishedUids(ourSlice(this.view) ?? {});
      return isThere && published.length === 1 && templates.every(({ rollout }) => rollout.settled);
    });
  }

  async #publish(): Promise<void> {
    const { name, host } = this.world.cluster.primary ?? assert.fail();
    const { uid = "" } = this.world.api.get("pods", NAMESPACE, name)?.metadata ?? assert.fail();
    const skeleton = sliceSkeleton(this.view, service({}, { namespace: NAMESPACE, name: "orders-primary" }));
    const targetRef = { kind: "Pod", namespace: NAMESPACE, name, uid };
    const endpoints = [{ addresses: [host], conditions: { ready: true }, targetRef }];
    await this.world.post(SLICES, { ...skeleton, endpoints });
  }

  /** A pod of the workload, with or without what the webhook would have added. */
  async create(name: string, isInjected: boolean): Promise<void> {
    const { world } = this;
    const member = world.cluster.members.find((each) => each.name === name) ?? assert.fail();
    await world.addPod(member, { sidecar: isInjected });
    const status = JSON.stringify({ image: settings().sidecar.image });
    const annotations = isInjected ? { "patroni-injector.io/status": status } : {};
    await world.patch(`${PODS}/${name}`, { metadata: { ownerReferences: [this.#owner], annotations } });
    await world.patch(`${PODS}/${name}/status`, { status: { conditions: READY } });
  }

  async look(): Promise<void> {
    this.repairer.look();
    await this.repairer.idle();
  }

  /** The names of pods that were evicted, in order. */
  get evicted(): string[] {
    return this.world.api.audit.entries
      .filter(({ resource, code }) => resource === "pods/eviction" && code === 201)
      .map(({ name }) => name);
  }

  /** The kubelet and the StatefulSet's controller do their part after an eviction. */
  async comesBack(name: string, isInjected: boolean): Promise<void> {
    const { uid } = this.world.api.get("pods", NAMESPACE, name)?.metadata ?? assert.fail(`${name} is gone`);
    await this.world.removePod(name);
    await this.create(name, isInjected);
    await until(`${name} is back`, () =>
      this.view.members.some((pod) => pod.name === name && pod.uid !== uid && pod.ready),
    );
  }
}

test("one at a time, the replicas first, the primary last, each only after the one before is back", async (t) => {
  const scene = await Scene.start(t);
  const { world } = scene;
  await scene.look();
  assert.deepEqual(scene.evicted, ["orders-2"]);
  await until("it is seen to go", () => scene.view.members.some(({ terminating }) => terminating));
  await scene.look();
  await world.removePod("orders-2");
  await until("it is seen to be gone", () => scene.view.members.length === 2);
  await scene.look();
  assert.deepEqual(scene.evicted, ["orders-2"], "nobody else meanwhile");
  await scene.create("orders-2", true);
  await until(
    "it is back",
    () => scene.view.members.length === 3 && scene.view.members.every(({ ready }) => ready),
  );
  await scene.look();
  assert.deepEqual(scene.evicted, ["orders-2", "orders-1"]);
  await scene.comesBack("orders-1", true);
  await scene.look();
  assert.deepEqual(scene.evicted, ["orders-2", "orders-1", "orders-0"]);
  await scene.comesBack("orders-0", true);
  await scene.look();
  await scene.look();
  assert.deepEqual(scene.evicted.length, 3, "all is as it should be");
  assert.deepEqual(scene.told, ["evicted", "evicted", "evicted"]);
  assert.deepEqual(scene.findings, []);
});

test("a pod that comes back as it was stops it, until that one is as it should be", async (t) => {
  const scene = await Scene.start(t);
  await scene.look();
  await scene.comesBack("orders-2", false);
  for (let look = 0; look < 3; look++) await scene.look();
  assert.deepEqual(scene.evicted, ["orders-2"]);
  assert.deepEqual(scene.findings, [
    { reason: "repair-stopped", detail: "orders-2 came back without the sidecar" },
  ]);
  await scene.comesBack("orders-2", true);
  await scene.look();
  assert.deepEqual(scene.evicted, ["orders-2", "orders-1"]);
  assert.deepEqual(scene.findings, []);
});

test("what a disruption budget refuses is tried again after a pause; a member that is unwell keeps all where they are", async (t) => {
  const scene = await Scene.start(t);
  const [, , last] = scene.world.cluster.members;
  assert.ok(last);
  last.state = { ...last.state, state: "starting" };
  await scene.look();
  last.state = { ...last.state, state: "running" };
  assert.deepEqual(scene.told, []);
  const fault = scene.world.api.faults.add({
    ...{ kind: "status", status: 429, retryAfter: 10 },
    match: { verb: "create", resource: "pods/eviction" },
  });
  for (let look = 0; look < 3; look++) await scene.look();
  assert.deepEqual([fault.hits, scene.told, scene.evicted], [1, ["refused"], []]);
});
