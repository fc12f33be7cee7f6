import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ApiClient } from "../../../demo/client.ts";
import { SliceRecorder } from "../../../demo/failover/recorder.ts";
import { startSidecar } from "../../../demo/failover/sidecars.ts";
import { type KubeApi, startKubeApi } from "../../../demo/kube-api/server.ts";
import { SimulatedCluster } from "../../../demo/patroni/cluster.ts";
import type { Program } from "../../../demo/program.ts";

const NAMESPACE = "db";
const SERVICE = "pg-primary";

let api: KubeApi;
let client: ApiClient;
let folder: string;
let cluster: SimulatedCluster;
let recorder: SliceRecorder;
let sidecars: Program[];

before(async () => {
  api = await startKubeApi();
  folder = await mkdtemp(join(tmpdir(), "sidecar-"));
  client = new ApiClient(api.url, api.caPem, api.tokens.issue("test"));
  await client.create("/api/v1/namespaces", {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: NAMESPACE },
  });
  cluster = new SimulatedCluster({
    scope: "pg",
    names: ["pg-0", "pg-1", "pg-2"],
    hosts: ["127.0.1.1", "127.0.1.2", "127.0.1.3"],
    pace: 0.2,
    keepLeader: () => Promise.resolve(),
  });
  await cluster.start();
  recorder = new SliceRecorder(api, NAMESPACE, SERVICE);
  sidecars = await Promise.all(
    cluster.members.map((member) =>
      startSidecar({ api, folder, namespace: NAMESPACE, scope: "pg", service: SERVICE, member }),
    ),
  );
});

after(async () => {
  await cluster.stop(); // first: the sidecar of a healthy primary does not withdraw it on SIGTERM
  await Promise.all(sidecars.map((sidecar) => sidecar.stop()));
  recorder.stop();
  client.close();
  await api.close();
  await rm(folder, { recursive: true });
});

test("a sidecar waits for the slice, and publishes the primary once it is there", async () => {
  await sidecars[0]?.said(
    `EndpointSlice ${NAMESPACE}/${SERVICE} does not exist: waiting for the controller to make it`,
  );
  const created = await client.create(`/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`, {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: SERVICE, labels: { "kubernetes.io/service-name": SERVICE } },
    addressType: "IPv4",
    endpoints: [],
    ports: [{ name: "tcp-postgres", port: 5432, protocol: "TCP" }],
  });
  assert.equal(created.code, 201);
  await recorder.shows(["127.0.1.1"], 5000);
});

test("a switchover empties the slice, then shows the new primary", async () => {
  const [, second] = cluster.members;
  assert.ok(second);
  await Promise.all([cluster.switchover(second), recorder.shows([], 5000)]);
  await recorder.shows(["127.0.1.2"], 5000);
  assert.deepEqual(recorder.violations, []);
});

test("a frozen primary that wakes up does not come back", async () => {
  const [first] = cluster.members;
  assert.ok(first);
  const frozen = await cluster.freeze(first, 500);
  await recorder.shows(["127.0.1.1"], 5000);
  assert.ok(frozen);
  const before = recorder.moments.length;
  await cluster.comeBack(frozen);
  assert.equal(recorder.moments.length, before);
  assert.deepEqual(recorder.violations, []);
});

test("in the steady state nothing is written", async () => {
  const before = recorder.moments.length;
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assert.equal(recorder.moments.length, before);
});
