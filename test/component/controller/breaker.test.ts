import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import supertest from "supertest";
import { type KubeApi, startKubeApi } from "../../../demo/kube-api/server.ts";
import { SUSPENSIONS_CONFIGMAP } from "../../../src/contract/names.ts";
import { Breaker } from "../../../src/controller/breaker/breaker.ts";
import { PAUSES, STEADY_MS } from "../../../src/controller/breaker/machine.ts";
import type { Suspension } from "../../../src/controller/breaker/suspension.ts";
import { SuspensionWatch } from "../../../src/controller/breaker/watch.ts";
import { NO_CHOICES } from "../../../src/controller/choices.ts";
import { podFacts } from "../../../src/controller/facts/pod.ts";
import { Objects } from "../../../src/controller/objects.ts";
import { startReplica } from "../../../src/controller/start.ts";
import type { InjectionSettings } from "../../../src/injection/settings.ts";
import { at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { createWebhookApp } from "../../../src/webhook/app.ts";
import { raw, until } from "../kube-api/support.ts";
import { SURROUNDINGS } from "../webhook/reviews.ts";
import { connectionTo, quietLogger, settings, TIMES } from "./world.ts";

const HOME = "patroni-injector";
const NAMESPACE = "shop";
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
/** One that ends lets it go: nobody waits for it to expire, however slow the machine is. */
const LEASE = { durationMs: 10_000, deadlineMs: 8000, retryMs: 50 };
const OWNER = { apiVersion: "apps/v1", kind: "StatefulSet", name: "pg", uid: "set", controller: true };

const podOf = (name: string): JsonObject => ({
  metadata: { name, labels: { application: "patroni", "cluster-name": "pg" }, ownerReferences: [OWNER] },
  spec: { containers: [{ name: "pg", image: "patroni", env: [{ name: "PATRONI_SCOPE", value: "pg" }] }] },
});

async function send(api: KubeApi, method: string, path: string, body?: JsonObject, type?: string) {
  const answer = await raw(api, method, path, body, type);
  assert.ok(answer.code < 300, `${method} ${path}: ${answer.code} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function startScene(t: TestContext) {
  const api = await startKubeApi();
  const ends: (() => Promise<unknown>)[] = [() => api.close()];
  t.after(async () => {
    for (const end of ends.reverse()) await end();
  });
  await send(api, "POST", "/api/v1/namespaces", { metadata: { name: HOME } });
  const labels = { "patroni-injector.io/injection": "enabled" };
  await send(api, "POST", "/api/v1/namespaces", { metadata: { name: NAMESPACE, labels } });
  return { api, ends };
}

const stored = (api: KubeApi): Suspension | undefined => {
  const text = at(api.get("configmaps", HOME, SUSPENSIONS_CONFIGMAP)?.data, NAMESPACE);
  return typeof text === "string" ? JSON.parse(text) : undefined;
};

const tell = (api: KubeApi, name: string, state: JsonObject) =>
  send(
    api,
    "PATCH",
    `${PODS}/${name}/status`,
    { status: { initContainerStatuses: [{ name: "patroni-injector", restartCount: 0, state }] } },
    "application/merge-patch+json",
  );

/** One replica of `serve`, as far as admission and reconciling go: its webhook, and its part in leading. */
class Replica {
  readonly suspensions: SuspensionWatch;
  readonly metrics = createMetrics();
  readonly #app: ReturnType<typeof createWebhookApp>;
  readonly #replica: ReturnType<typeof startReplica>;
  #settings: InjectionSettings = settings();

  constructor(api: KubeApi, identity: string) {
    const connection = connectionTo(api);
    this.suspensions = new SuspensionWatch(connection, {
      namespace: HOME,
      onInterrupted: () => undefined,
      times: TIMES,
    });
    const suspended = this.suspensions.suspends.bind(this.suspensions);
    this.#app = createWebhookApp({
      context: () => ({
        settings: this.#settings,
        surroundings: { ...SURROUNDINGS, suspended },
        failurePolicy: "Ignore",
      }),
      draining: () => false,
      logger: quietLogger(),
      metrics: this.metrics,
    });
    this.#replica = startReplica(connection, {
      ...{ namespace: HOME, identity, repair: "none", leaseTimes: LEASE, suspensions: this.suspensions },
      ...{
        settings: () => this.#settings,
        openshift: () => false,
        choices: NO_CHOICES,
        apiServerAddresses: () => [],
      },
      ...{ logger: quietLogger(), metrics: this.metrics },
    });
  }

  configure(image: string): void {
    this.#settings = { ...this.#settings, sidecar: { ...this.#settings.sidecar, image } };
    this.#replica.reload();
  }

  async metric(name: string): Promise<string> {
    this.#replica.measure();
    return (await this.metrics.registry.getSingleMetricAsString(name)) ?? "";
  }

  /** What the webhook makes of a pod, and what it says to whoever creates it. */
  async admit(name: string) {
    const resource = { group: "", version: "v1", resource: "pods" };
    const request = {
      uid: "u",
      resource,
      namespace: NAMESPACE,
      name,
      operation: "CREATE",
      object: podOf(name),
    };
    const review = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request };
    const { body } = await supertest(this.#app).post("/mutate").send(review).expect(200);
    const { patch = "", warnings = [], auditAnnotations } = body.response;
    const planned = Buffer.from(patch, "base64").toString();
    return {
      hasSidecar: planned.includes('"name":"patroni-injector"'),
      hasAddresses: planned.includes("PATRONI_POSTGRESQL_CONNECT_ADDRESS"),
      said: [...warnings, auditAnnotations.notes].join(" "),
    };
  }

  stop(): Promise<unknown> {
    return Promise.all([this.#replica.stop(), this.suspensions.stop()]);
  }
}

/** A pod as the webhook of today made it. */
async function createInjected(api: KubeApi, name: string, image: string): Promise<void> {
  const { metadata, spec } = podOf(name) as { metadata: JsonObject; spec: JsonObject };
  const status = JSON.stringify({ version: "1", applied: ["sidecar"], image });
  await send(api, "POST", PODS, {
    metadata: { ...metadata, annotations: { "patroni-injector.io/status": status } },
    spec: { ...spec, initContainers: [{ name: "patroni-injector", image }] },
  });
}

test("a pooler's sidecar that cannot be started is suspended too, whether or not its cluster is there", async (t) => {
  const { api, ends } = await startScene(t);
  const replica = new Replica(api, "one");
  ends.push(() => replica.stop());
  const { image } = settings().sidecar;
  await send(api, "POST", PODS, {
    metadata: { name: "pool-0", labels: { "patroni-injector.io/pooler-of": "pg" } },
    spec: {
      initContainers: [{ name: "patroni-injector", image }],
      containers: [{ name: "pgbouncer", image: "pgbouncer" }],
    },
  });
  await tell(api, "pool-0", { waiting: { reason: "ErrImagePull" } });
  await until("it is written down", () => stored(api)?.pod === "pool-0");
  await until("it is in force", () => replica.suspensions.of(NAMESPACE) !== undefined);
  assert.equal((await replica.admit("pg-0")).hasSidecar, false);
});

test("of two replicas both suspend what the leader saw fail, restarts change nothing, and another image is tried on one pod", async (t) => {
  const { api, ends } = await startScene(t);
  const start = (identity: string): Replica => {
    const replica = new Replica(api, identity);
    ends.push(() => replica.stop());
    return replica;
  };
  const one = start("one");
  await until(
    "one leads",
    () => api.get("leases.coordination.k8s.io", HOME, "patroni-injector-controller") !== undefined,
  );
  const two = start("two");
  assert.equal((await two.admit("pg-1")).hasSidecar, true);

  const { image } = settings().sidecar;
  await createInjected(api, "pg-2", image);
  await tell(api, "pg-2", { waiting: { reason: "ErrImagePull" } });
  await until("it is written down", () => stored(api) !== undefined);
  const { uid } = api.get("pods", NAMESPACE, "pg-2")?.metadata ?? {};
  const { since: _, ...written } = stored(api) ?? assert.fail();
  assert.deepEqual(written, { image, reason: "ErrImagePull", pod: "pg-2", uid, failures: 0 });
  for (const replica of [one, two]) {
    await until("every replica knows", () => replica.suspensions.of(NAMESPACE) !== undefined);
    const { hasSidecar, hasAddresses, said } = await replica.admit("pg-1");
    assert.deepEqual([hasSidecar, hasAddresses], [false, true], "all else of the plan stays");
    assert.match(said, /sidecar-suspended: .* sidecar-suspended$/);
    assert.match(
      await replica.metric("patroni_injector_admission_notes_total"),
      /reason="sidecar-suspended"\} 1/,
    );
  }
  assert.match(await one.metric("patroni_injector_sidecar_suspended"), /target_namespace="shop"\} 1/);
  const told = () =>
    api.audit.entries.filter(({ verb, resource }) => verb === "create" && resource.startsWith("events"));
  await until("the owner is told", () => told().some(({ code }) => code === 201));
  const events = objectsIn(
    (await send(api, "GET", `/apis/events.k8s.io/v1/namespaces/${NAMESPACE}/events`)).items,
  ).filter(({ reason }) => reason === "sidecar-suspended");
  assert.deepEqual(
    events.map(({ regarding }) => at(regarding, "name")),
    ["pg"],
  );

  // The leader ends, and the pod that was stuck goes: neither is a reason to inject again.
  await one.stop();
  await send(api, "DELETE", `${PODS}/pg-2`, { gracePeriodSeconds: 0 });
  await send(api, "POST", PODS, podOf("pg-2"));
  await send(api, "POST", PODS, podOf("pg-1"));
  const three = start("three");
  await until("a new replica has read it", () => three.suspensions.synced());
  const holder = () =>
    at(api.get("leases.coordination.k8s.io", HOME, "patroni-injector-controller")?.spec, "holderIdentity");
  await until("another one leads", () => holder() === "two" || holder() === "three");
  const leader = (): Replica => (holder() === "two" ? two : three);
  while (!(await leader().metric("patroni_injector_uninjected_pods")).includes("suspended")) await delay(20);
  for (const replica of [two, three]) assert.equal((await replica.admit("pg-2")).hasSidecar, false);
  const last = await leader().metric("patroni_injector_uninjected_pods");
  assert.match(last, /target_namespace="shop",reason="sidecar-suspended"\} 2/);

  for (const replica of [two, three]) replica.configure("registry.example/sidecar:2");
  await until("one pod is named", () => stored(api)?.probe !== undefined);
  assert.equal(stored(api)?.probe?.pod, "pg-2");
  for (const replica of [two, three]) {
    await until("both know", () => replica.suspensions.of(NAMESPACE)?.probe !== undefined);
    assert.equal((await replica.admit("pg-2")).hasSidecar, true);
    assert.equal((await replica.admit("pg-1")).hasSidecar, false);
  }
  two.configure(image);
  assert.equal(
    (await two.admit("pg-2")).hasSidecar,
    false,
    "one that would try another image than the leader",
  );
});

test("it closes once the one that failed runs, or the one that it was tried on; each step is written once", async (t) => {
  const { api, ends } = await startScene(t);
  const connection = connectionTo(api);
  const suspensions = new SuspensionWatch(connection, { namespace: HOME, onInterrupted: () => undefined });
  const objects = new Objects(connection, 5000);
  const its = settings();
  const pods = () => {
    const pod = api.get("pods", NAMESPACE, "pg-0");
    return pod === undefined ? [] : [podFacts(pod as JsonObject, its) ?? assert.fail()];
  };
  let now = 0;
  const breaker = new Breaker({
    ...{ objects, suspensions, pods, logger: quietLogger(), image: its.sidecar.image },
    read: async () => pods(),
    isPrimary: () => false,
    now: () => now,
  });
  ends.push(() => breaker.stop());
  ends.push(() => suspensions.stop());
  await until("it has read", () => suspensions.synced());
  const looks = async (passMs = 0): Promise<void> => {
    now += passMs;
    breaker.look();
    await breaker.idle();
  };
  const writes = () =>
    api.audit.entries.filter(({ resource, verb }) => resource === "configmaps" && /create|update/.test(verb));

  await createInjected(api, "pg-0", its.sidecar.image);
  await looks();
  assert.equal(writes().length, 0, "nothing fails, nothing is written");
  await tell(api, "pg-0", { waiting: { reason: "CrashLoopBackOff" } });
  for (let look = 0; look < 3; look++) await looks(PAUSES.longest);
  assert.deepEqual([stored(api)?.reason, writes().length], ["CrashLoopBackOff", 1]);
  await tell(api, "pg-0", { running: {} });
  await looks();
  await looks(STEADY_MS - 1);
  assert.notEqual(stored(api), undefined);
  await looks(1);
  assert.deepEqual([stored(api), writes().length], [undefined, 2]);

  await tell(api, "pg-0", { waiting: { reason: "ImagePullBackOff" } });
  await looks();
  await send(api, "DELETE", `${PODS}/pg-0`, { gracePeriodSeconds: 0 });
  await send(api, "POST", PODS, podOf("pg-0"));
  await looks();
  await looks(PAUSES.first - 1);
  assert.equal(stored(api)?.probe, undefined);
  await looks(1);
  assert.equal(stored(api)?.probe?.pod, "pg-0");
  await send(api, "DELETE", `${PODS}/pg-0`, { gracePeriodSeconds: 0 });
  await createInjected(api, "pg-0", its.sidecar.image);
  await tell(api, "pg-0", { running: {} });
  await looks();
  await looks(STEADY_MS);
  assert.deepEqual([stored(api), writes().length], [undefined, 5]);

  // Somebody else writes in between: nothing is lost, and nothing is written over.
  await tell(api, "pg-0", { waiting: { reason: "ErrImagePull" } });
  const slow = { kind: "latency" as const, ms: 200, times: 1 };
  const late = api.faults.add({ ...slow, match: { verb: "update", resource: "configmaps" } });
  const looking = looks();
  await until("it is about to write", () => late.hits === 1);
  const path = `/api/v1/namespaces/${HOME}/configmaps/${SUSPENSIONS_CONFIGMAP}`;
  await send(api, "PATCH", path, { data: { other: "{}" } }, "application/merge-patch+json");
  await looking;
  const namespaces = () => Object.keys(api.get("configmaps", HOME, SUSPENSIONS_CONFIGMAP)?.data ?? {});
  assert.deepEqual(namespaces(), ["other"]);
  await looks();
  assert.deepEqual(namespaces(), ["other", NAMESPACE]);
});
