import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { createOperationsApp } from "../../../src/webhook/operations.ts";
import { RecentDecisions } from "../../../src/webhook/recent.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { kubeconfigFor } from "../../cluster/kubeconfig.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { audited } from "../../component/audit/world.ts";

const AUDITOR = "auditor";
const PODS = "/api/v1/namespaces/injector/pods";
const MERGE = { "content-type": "application/merge-patch+json" };

let plane: ControlPlane;
let folder: string;
let replica: Server;

before(async () => {
  plane = await startControlPlane({ audit: "Metadata" });
  folder = await mkdtemp(join(tmpdir(), "patroni-injector-audit-direct-"));
  await prepareNamespace(plane.api, "db", { "patroni-injector.io/injection": "audit" });
  await prepareNamespace(plane.api, "injector");
  const recent = new RecentDecisions();
  recent.keep({
    ...{ uid: "u", namespace: "db", name: "pg-0", mode: "audit", dryRun: false },
    ...{ decision: "inject", reason: "injected", notes: [], applied: ["sidecar"], patchOperations: 1 },
  });
  const app = createOperationsApp({
    missing: () => [],
    beforeScrape: () => {},
    metrics: createMetrics(),
    decisions: () => recent.told(),
  });
  replica = createServer(app).listen(0, "127.0.0.1");
  await once(replica, "listening");
  await running("well", (replica.address() as AddressInfo).port);
  await running("gone", 1);
  const admin = await plane.authority.issueClient(AUDITOR, ["system:masters"]);
  await writeFile(join(folder, "kubeconfig"), kubeconfigFor(plane.url, plane.caPem, admin));
});
after(async () => {
  replica?.close();
  replica?.closeAllConnections();
  await plane?.stop();
  await rm(folder, { recursive: true });
});

/** A replica's pod, as its kubelet would report it: with an address that this machine reaches. */
async function running(name: string, port: number): Promise<void> {
  const pod: JsonObject = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { "app.kubernetes.io/name": "patroni-injector" } },
    spec: {
      containers: [{ name: "serve", image: "x", ports: [{ name: "metrics", containerPort: port }] }],
    },
  };
  assert.equal((await plane.api.request("POST", PODS, pod)).status, 201);
  const status = { phase: "Running", podIP: "127.0.0.1", podIPs: [{ ip: "127.0.0.1" }] };
  const { status: code, body } = await plane.api.request(
    "PATCH",
    `${PODS}/${name}/status`,
    { status },
    MERGE,
  );
  assert.equal(code, 200, JSON.stringify(body));
}

const asked = async (way: readonly string[]) => {
  const argv = ["-n", "db", "--kubeconfig", join(folder, "kubeconfig"), "-o", "json", ...way];
  const { code, stdout, stderr } = await audited(argv);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout).auditMode;
};

test("with --direct replicas are asked at their pods' addresses, and the API server's proxy is not", async () => {
  const auditMode = await asked(["--direct"]);
  assert.deepEqual(auditMode.namespaces, ["db"]);
  assert.deepEqual(auditMode.groups, [{ namespace: "db", reason: "injected", pods: ["pg-0"] }]);
  assert.deepEqual(Object.keys(auditMode.since), ["injector/well"]);
  assert.deepEqual(
    objectsIn(auditMode.unread).map(({ replica: name }) => name),
    ["injector/gone"],
  );
  const events = await plane.auditEvents();
  const proxied = events.filter(({ requestURI }) => String(requestURI).includes("/proxy/"));
  assert.deepEqual(proxied, []);
});

test("without it they are asked through the proxy, and who cannot be reached there is named", async () => {
  const auditMode = await asked([]);
  const names = objectsIn(auditMode.unread).map(({ replica: name }) => name);
  assert.ok(names.includes("injector/gone"), JSON.stringify(auditMode));
  const events = await plane.auditEvents();
  const proxied = events.filter(({ requestURI }) => String(requestURI).includes("/proxy/decisions"));
  assert.ok(proxied.length > 0);
});
