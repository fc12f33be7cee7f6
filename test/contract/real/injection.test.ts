import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { KubeObject } from "../../../demo/kube-api/objects.ts";
import { podsOf } from "../../../demo/kube-api/workloads.ts";
import { CLUSTER_LABEL, NAMESPACE_LABEL, SIDECAR_CONTAINER } from "../../../src/contract/names.ts";
import { at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import type { ApiResponse } from "../../cluster/api-client.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { eventually } from "../suite/eventually.ts";
import { type Injector, patroniPod, startInjector } from "./injector.ts";
import { startIstioStandIn } from "./istio-stand-in.ts";

const CONFIGURATION =
  "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/00-patroni-injector";

/** The entry of our webhook configuration that is meant for these pods. */
const OURS = "0.mutate.patroni-injector.io";

let plane: ControlPlane;
let injector: Injector;

before(async () => {
  plane = await startControlPlane({ audit: "Metadata" });
  injector = await startInjector(plane, { timeoutSeconds: 1 });
});
after(async () => {
  await injector?.stop();
  await plane?.stop();
});

const create = (namespace: string, pod: JsonObject, query = ""): Promise<ApiResponse> =>
  plane.api.request("POST", `/api/v1/namespaces/${namespace}/pods${query}`, pod);

async function created(namespace: string, pod: JsonObject, query = ""): Promise<JsonObject> {
  const { status, body } = await create(namespace, pod, query);
  assert.equal(status, 201, JSON.stringify(body));
  return body as JsonObject;
}

const isInjected = (pod: JsonObject): boolean => at(pod, "metadata", "labels", CLUSTER_LABEL) !== undefined;

/** The init containers first. */
const allContainers = (pod: JsonObject): JsonObject[] => [
  ...objectsIn(at(pod, "spec", "initContainers")),
  ...objectsIn(at(pod, "spec", "containers")),
];

const containersOf = (pod: JsonObject) => allContainers(pod).map(({ name }) => name);

/** The audit annotations of the creation of a pod. */
async function auditOf(namespace: string, name: string): Promise<JsonObject> {
  const event = (await plane.auditEvents()).findLast(
    ({ objectRef, verb }) =>
      verb === "create" && at(objectRef, "namespace") === namespace && at(objectRef, "name") === name,
  );
  return (event?.annotations ?? {}) as JsonObject;
}

/** The webhooks that were called for a pod, in order, each with whether it changed the pod. */
async function callsOf(namespace: string, name: string) {
  return Object.entries(await auditOf(namespace, name))
    .flatMap(([key, value]) => {
      const place = /^mutation\.webhook\.admission\.k8s\.io\/(round_\d+_index_\d+)$/.exec(key)?.[1];
      const { webhook, mutated } = place === undefined ? {} : JSON.parse(String(value));
      return place === undefined ? [] : [{ place, webhook, mutated }];
    })
    .sort((one, other) => (one.place < other.place ? -1 : 1))
    .map(({ webhook, mutated }) => [webhook, mutated]);
}

test("only an enabled namespace has its pods changed", async () => {
  const modes: readonly [name: string, labels: Record<string, string>, injected: boolean][] = [
    ["mode-enabled", { [NAMESPACE_LABEL]: "enabled" }, true],
    ["mode-audit", { [NAMESPACE_LABEL]: "audit" }, false],
    ["mode-disabled", { [NAMESPACE_LABEL]: "disabled" }, false],
    ["mode-misspelt", { [NAMESPACE_LABEL]: "Enabled" }, false],
    ["mode-none", {}, false],
  ];
  for (const [namespace, labels, injected] of modes) {
    await prepareNamespace(plane.api, namespace, labels);
    const pod = await created(namespace, patroniPod("pg-0"));
    assert.equal(isInjected(pod), injected, namespace);
    assert.deepEqual(containersOf(pod), injected ? [SIDECAR_CONTAINER, "patroni"] : ["patroni"], namespace);
  }
});

test("a namespace in audit mode is told what would be done, by a warning and in the audit log", async () => {
  await prepareNamespace(plane.api, "audited", { [NAMESPACE_LABEL]: "audit" });
  const { headers } = await create("audited", patroniPod("pg-0"));
  assert.match(
    String(headers.warning),
    /^299 - "patroni-injector: audit: would be injected: injected \(pod-dns, connect-addresses, mesh, sidecar\)"$/,
  );
  const audit = await auditOf("audited", "pg-0");
  assert.equal(audit["0.audit.patroni-injector.io/decision"], "inject");
  assert.deepEqual(await callsOf("audited", "pg-0"), [["0.audit.patroni-injector.io", false]]);

  const bad = patroniPod("pg-1", { annotations: { "patroni-injector.io/postgres-port": "none" } });
  const refusable = await create("audited", bad);
  assert.equal(refusable.status, 201, "audit mode refuses nothing");
  assert.match(String(refusable.headers.warning), /audit: would be refused: invalid-annotation/);
});

test("a pod without annotations is sent to us, the mirror of a static pod is not, and neither errs", async () => {
  await prepareNamespace(plane.api, "conditions", { [NAMESPACE_LABEL]: "enabled" });
  const mirror = { annotations: { "kubernetes.io/config.mirror": "a-hash" } };
  const onNode = { nodeName: "node-1", automountServiceAccountToken: false };
  const rows: readonly [name: string, metadata: JsonObject, spec: JsonObject, called: boolean][] = [
    ["no-annotations", {}, {}, true],
    ["empty-annotations", { annotations: {} }, {}, true],
    ["some-annotations", { annotations: { team: "data" } }, {}, true],
    ["mirror", mirror, onNode, false],
  ];
  for (const [name, metadata, spec, called] of rows) {
    const pod = await created("conditions", patroniPod(name, metadata, spec));
    assert.equal(isInjected(pod), called, name);
    const audit = await auditOf("conditions", name);
    assert.equal(audit[`${OURS}/reason`], called ? "injected" : undefined, name);
    const failedOpen = Object.keys(audit).filter((key) => key.startsWith("failed-open."));
    assert.deepEqual(failedOpen, [], name);
  }
});

test("a server-side dry-run shows the injected pod and keeps nothing", async () => {
  await prepareNamespace(plane.api, "dry", { [NAMESPACE_LABEL]: "enabled" });
  assert.ok(isInjected(await created("dry", patroniPod("pg-0"), "?dryRun=All")));
  for (const what of ["pods", "services", "events", "configmaps"]) {
    const { body } = await plane.api.request("GET", `/api/v1/namespaces/dry/${what}`);
    assert.deepEqual(objectsIn(at(body, "items")), [], what);
  }
});

test("a malformed annotation is refused with our words, and nothing is kept", async () => {
  await prepareNamespace(plane.api, "denied", { [NAMESPACE_LABEL]: "enabled" });
  const bad = patroniPod("pg-0", { annotations: { "patroni-injector.io/postgres-port": "none" } });
  const { status, body } = await create("denied", bad);
  assert.deepEqual([status, at(body, "reason")], [400, "BadRequest"]);
  assert.match(
    String(at(body, "message")),
    /^admission webhook "0\.mutate\.patroni-injector\.io" denied the request: invalid-annotation: .*postgres-port/,
  );
  assert.equal((await plane.api.request("GET", "/api/v1/namespaces/denied/pods/pg-0")).status, 404);
});

const STATEFUL_SET: JsonObject = {
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { name: "pg" },
  spec: {
    serviceName: "pg",
    replicas: 2,
    selector: { matchLabels: { application: "patroni" } },
    template: {
      metadata: { labels: { application: "patroni" } },
      spec: patroniPod(
        "ignored",
        {},
        {
          containers: [
            {
              name: "patroni",
              image: "registry.example/patroni:4.1",
              env: [{ name: "PATRONI_SCOPE", value: "pg" }],
              readinessProbe: { httpGet: { path: "/readiness", port: 8008 } },
            },
          ],
        },
      ).spec as JsonObject,
    },
  },
};

test("Istio comes after us and we are asked again: both have what they want in the pod", async (t) => {
  const namespace = "meshed";
  await prepareNamespace(plane.api, namespace, { [NAMESPACE_LABEL]: "enabled" });
  const istio = await startIstioStandIn(plane, namespace);
  t.after(() => istio.stop());
  await eventually("the stand-in is in force", async () =>
    containersOf(await created(namespace, patroniPod("probe"), "?dryRun=All")).includes("istio-proxy"),
  );

  const sets = "/apis/apps/v1/namespaces/meshed/statefulsets";
  const set = await plane.api.request("POST", sets, STATEFUL_SET);
  assert.equal(set.status, 201, JSON.stringify(set.body));
  for (const pod of podsOf(set.body as KubeObject)) {
    const { name = "" } = pod.metadata;
    const stored = await created(namespace, pod as JsonObject);
    assert.deepEqual(await callsOf(namespace, name), [
      [OURS, true],
      ["rev.namespace.sidecar-injector.istio.io", true],
      [OURS, true],
    ]);
    assert.deepEqual(containersOf(stored), ["istio-proxy", SIDECAR_CONTAINER, "patroni"]);
    const [, sidecar, patroni] = allContainers(stored);
    const proxied = { path: "/app-health/patroni/readyz", port: 15_020, scheme: "HTTP" };
    assert.deepEqual(at(patroni, "readinessProbe", "httpGet"), proxied, "Istio's change stays");
    const direct = { path: "/healthz", port: 8011, scheme: "HTTP" };
    assert.deepEqual(at(sidecar, "livenessProbe", "httpGet"), direct, "our port is none of Istio's");
    const excluded = at(stored, "metadata", "annotations", "traffic.sidecar.istio.io/excludeInboundPorts");
    assert.equal(istio.excludedPortsSeen.get(name), excluded, "Istio was told what to leave alone");
    assert.match(String(excluded), /\b8011\b/);
  }
});

test("without an answer, Ignore admits the pod as it is and Fail refuses it, both after the timeout", async () => {
  await prepareNamespace(plane.api, "unanswered", { [NAMESPACE_LABEL]: "enabled" });
  assert.ok(isInjected(await created("unanswered", patroniPod("answered"))));
  const unanswered = async (name: string) => {
    process.kill(injector.pid, "SIGSTOP");
    const start = performance.now();
    try {
      const answer = await create("unanswered", patroniPod(name));
      return { ...answer, tookMs: performance.now() - start };
    } finally {
      process.kill(injector.pid, "SIGCONT");
    }
  };

  const ignored = await unanswered("ignored");
  assert.equal(ignored.status, 201, JSON.stringify(ignored.body));
  assert.equal(isInjected(ignored.body as JsonObject), false);
  assert.ok(ignored.tookMs >= 990 && ignored.tookMs < 5000, `${ignored.tookMs} ms`);
  const audit = await auditOf("unanswered", "ignored");
  const failedOpen = Object.entries(audit).filter(([key]) => key.startsWith("failed-open."));
  assert.deepEqual(
    failedOpen.map(([, value]) => value),
    [OURS],
  );

  await injector.reconfigure({ failurePolicy: "Fail" });
  await eventually("the registered failurePolicy is Fail", async () => {
    const { body } = await plane.api.request("GET", CONFIGURATION);
    return objectsIn(at(body, "webhooks")).some(({ failurePolicy }) => failurePolicy === "Fail");
  });
  await eventually("Fail is in force", async () => (await unanswered("refused")).status !== 201);
  const refused = await unanswered("refused");
  assert.deepEqual([refused.status, at(refused.body, "reason")], [500, "InternalError"]);
  assert.match(
    String(at(refused.body, "message")),
    /^Internal error occurred: failed calling webhook "0\.mutate\.patroni-injector\.io": .*context deadline exceeded$/,
  );
  assert.ok(isInjected(await created("unanswered", patroniPod("answered-again"))), "it goes on afterwards");
});
