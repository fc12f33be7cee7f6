import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { at, type JsonObject } from "../../../src/json/value.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { type RecordingWebhook, startRecordingWebhook } from "../../cluster/recording-webhook.ts";

/** Errs where a pod has no annotations: the API server then acts on the failurePolicy, not on the webhook. */
const UNGUARDED = "!('kubernetes.io/config.mirror' in object.metadata.annotations)";
const GUARDED = `!has(object.metadata.annotations) || ${UNGUARDED}`;

const CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const ACTIVE_WITHIN_MS = 20_000;

let plane: ControlPlane;
let webhook: RecordingWebhook;

before(async () => {
  plane = await startControlPlane({ audit: "Metadata" });
  webhook = await startRecordingWebhook(plane.authority, { decision: "recorded" });
});
after(async () => {
  await webhook?.stop();
  await plane?.stop();
});

function pod(name: string, annotations?: JsonObject): JsonObject {
  const metadata = annotations === undefined ? { name } : { name, annotations };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [{ name: "main", image: "main" }] } };
}

/**
 * Registers one webhook for each condition, with the key as its path, and one without a condition; returns once
 * that last one is called. The entries of one configuration come into force together.
 */
async function register(
  namespace: string,
  failurePolicy: string,
  conditions: Readonly<Record<string, string>>,
) {
  const entry = (path: string, matchConditions: JsonObject[]): JsonObject => ({
    name: `${path}.${namespace}.example.test`,
    clientConfig: webhook.clientConfig(`/${namespace}/${path}`),
    rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] }],
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
    matchConditions,
    failurePolicy,
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
  });
  const created = await plane.api.request("POST", CONFIGURATIONS, {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: namespace },
    webhooks: [
      entry("always", []),
      ...Object.entries(conditions).map(([path, expression]) =>
        entry(path, [{ name: "not-mirror", expression }]),
      ),
    ],
  });
  assert.equal(created.status, 201, JSON.stringify(created.body));

  const deadline = performance.now() + ACTIVE_WITHIN_MS;
  while (called(namespace, "probe").length === 0) {
    assert.ok(performance.now() < deadline, "the webhook configuration never came into force");
    await createPod(namespace, pod("probe"), "?dryRun=All");
    await delay(50);
  }
}

function createPod(namespace: string, object: JsonObject, query = "") {
  return plane.api.request("POST", `/api/v1/namespaces/${namespace}/pods${query}`, object);
}

/** Last parts of the paths that were called for a pod, sorted. */
function called(namespace: string, podName: string): string[] {
  return webhook.calls
    .filter(({ path, request }) => path.startsWith(`/${namespace}/`) && request.name === podName)
    .map(({ path }) => path.slice(namespace.length + 2))
    .sort();
}

test("under Ignore, a condition that errs skips the webhook, and only a guarded one sees every pod", async () => {
  await prepareNamespace(plane.api, "ignoring");
  await register("ignoring", "Ignore", { guarded: GUARDED, unguarded: UNGUARDED });

  const cases: [name: string, annotations: JsonObject | undefined, calls: string[]][] = [
    ["no-annotations", undefined, ["always", "guarded"]],
    ["annotated", { team: "database" }, ["always", "guarded", "unguarded"]],
  ];
  for (const [name, annotations, calls] of cases) {
    assert.equal((await createPod("ignoring", pod(name, annotations))).status, 201);
    assert.deepEqual(called("ignoring", name), calls, name);
  }
});

test("under Fail, a condition that errs refuses the pod", async () => {
  await prepareNamespace(plane.api, "failing");
  await register("failing", "Fail", { unguarded: UNGUARDED });

  const refused = await createPod("failing", pod("no-annotations"));
  assert.equal(refused.status, 403, JSON.stringify(refused.body));
  assert.match(String(at(refused.body, "message")), /no such key: annotations/);
  assert.equal((await createPod("failing", pod("annotated", { team: "database" }))).status, 201);
});

test("what the webhook says for the audit stands in the audit log", async () => {
  await prepareNamespace(plane.api, "audited");
  await register("audited", "Ignore", {});
  assert.equal((await createPod("audited", pod("subject"))).status, 201);

  const event = (await plane.auditEvents()).find(
    ({ verb, objectRef }) => verb === "create" && at(objectRef, "name") === "subject",
  );
  assert.equal(at(event, "annotations", "always.audited.example.test/decision"), "recorded");
});
