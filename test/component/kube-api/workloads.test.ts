import assert from "node:assert/strict";
import test from "node:test";
import { podsOf } from "../../../demo/kube-api/workloads.ts";
import { raw, startServer } from "./support.ts";

const statefulSet = {
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { name: "pg" },
  spec: {
    replicas: 2,
    serviceName: "pg-headless",
    selector: { matchLabels: { application: "patroni" } },
    template: {
      metadata: { labels: { application: "patroni" }, annotations: { a: "b" } },
      spec: {
        containers: [{ name: "postgres", image: "spilo" }],
        volumes: [
          { name: "data", emptyDir: {} },
          { name: "tmp", emptyDir: {} },
        ],
      },
    },
    volumeClaimTemplates: [{ metadata: { name: "data" }, spec: {} }],
  },
};

test("the pods of a StatefulSet are those that its controller would create", async (t) => {
  const api = await startServer(t);
  await raw(api, "POST", "/apis/apps/v1/namespaces/default/statefulsets", statefulSet);
  const kept = api.get("statefulsets.apps", "default", "pg");
  assert.ok(kept);
  const pods = podsOf(kept);
  assert.deepEqual(
    pods.map(({ metadata }) => metadata.name),
    ["pg-0", "pg-1"],
  );
  const [first, second] = pods;
  const hash = first?.metadata.labels?.["controller-revision-hash"] ?? "";
  assert.match(hash, /^pg-[bcdfghjklmnpqrstvwxz2456789]{10}$/);
  assert.equal(second?.metadata.labels?.["controller-revision-hash"], hash);
  assert.deepEqual(first, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "pg-0",
      generateName: "pg-",
      namespace: "default",
      labels: {
        application: "patroni",
        "statefulset.kubernetes.io/pod-name": "pg-0",
        "apps.kubernetes.io/pod-index": "0",
        "controller-revision-hash": hash,
      },
      annotations: { a: "b" },
      ownerReferences: [
        {
          apiVersion: "apps/v1",
          kind: "StatefulSet",
          name: "pg",
          uid: kept.metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      containers: [{ name: "postgres", image: "spilo" }],
      volumes: [
        { name: "data", persistentVolumeClaim: { claimName: "data-pg-0" } },
        { name: "tmp", emptyDir: {} },
      ],
      hostname: "pg-0",
      subdomain: "pg-headless",
    },
  });
  for (const body of pods) {
    assert.equal((await raw(api, "POST", "/api/v1/namespaces/default/pods", body)).code, 201);
  }
});

test("the first ordinal and a changed template show in the pods", () => {
  const set = (spec: object, status = {}) =>
    podsOf({ ...statefulSet, spec: { ...statefulSet.spec, ...spec }, status });
  assert.deepEqual(
    set({ ordinals: { start: 3 } }).map(({ metadata }) => metadata.name),
    ["pg-3", "pg-4"],
  );
  const hash = ([pod]: ReturnType<typeof podsOf>) => pod?.metadata.labels?.["controller-revision-hash"];
  assert.notEqual(hash(set({})), hash(set({ template: { spec: { containers: [] } } })));
  assert.equal(hash(set({}, { updateRevision: "pg-abc" })), "pg-abc");
  const bare = set({ template: { spec: { containers: [] } }, volumeClaimTemplates: undefined })[0];
  assert.equal(Object.hasOwn(bare?.spec as object, "volumes"), false);
});
