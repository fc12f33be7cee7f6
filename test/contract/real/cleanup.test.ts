import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { KubeConfig } from "@kubernetes/client-node";
import { handOver } from "../../../src/cleanup/hand-over.ts";
import { Controller } from "../../../src/controller/controller.ts";
import { Objects } from "../../../src/controller/objects.ts";
import { at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { connect, KubeConnection } from "../../../src/kube/connection.ts";
import { publishedAddresses } from "../../../src/primary/slice.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { settings } from "../../model/prune/settings.ts";
import { eventually } from "../suite/eventually.ts";
import { recordAddresses, startEndpointSlices } from "./endpoint-slices.ts";

const MAIN = fileURLToPath(new URL("../../../src/main.ts", import.meta.url));
const CORE = "/api/v1/namespaces/db";
const SERVICE = `${CORE}/services/pg-primary`;
const SLICE = "/apis/discovery.k8s.io/v1/namespaces/db/endpointslices/pg-primary";
const ROLE = "/apis/rbac.authorization.k8s.io/v1/namespaces/db/roles/patroni-injector.pg.default";
const OURS = { "app.kubernetes.io/managed-by": "patroni-injector", "patroni-injector.io/cluster": "pg" };
const MERGE = { "content-type": "application/merge-patch+json" };

let plane: ControlPlane;

before(async () => {
  plane = await startControlPlane();
  await prepareNamespace(plane.api, "db", { "patroni-injector.io/injection": "enabled" });
  for (const [name, role, sidecar] of [
    ["pg-0", "primary", true],
    ["pg-1", "replica", true],
  ] as const) {
    await addPod(name, role, sidecar);
  }
});
after(() => plane?.stop());

async function addPod(name: string, role: string, sidecar: boolean): Promise<void> {
  const own = { name: "patroni-injector", image: "injector", restartPolicy: "Always" };
  const labels = {
    application: "patroni",
    "cluster-name": "pg",
    role,
    ...(sidecar ? { "patroni-injector.io/cluster": "pg" } : {}),
  };
  await write("POST", `${CORE}/pods`, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels },
    spec: {
      initContainers: sidecar ? [own] : [],
      containers: [{ name: "patroni", image: "patroni", env: [{ name: "PATRONI_SCOPE", value: "pg" }] }],
    },
  });
  const podIP = `10.1.2.${name.slice(-1)}`;
  const status = {
    phase: "Running",
    podIP,
    podIPs: [{ ip: podIP }],
    conditions: [{ type: "Ready", status: "True" }],
    initContainerStatuses: sidecar
      ? [
          {
            name: own.name,
            image: "injector",
            imageID: "",
            ready: true,
            restartCount: 0,
            state: { running: {} },
          },
        ]
      : [],
  };
  await write("PATCH", `${CORE}/pods/${name}/status`, { status }, MERGE);
}

async function write(method: string, path: string, body?: JsonObject, headers = {}): Promise<void> {
  const answer = await plane.api.request(method, path, body, headers);
  assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer.body)}`);
}

async function read(path: string): Promise<JsonObject | undefined> {
  const { status, body } = await plane.api.request("GET", path);
  return status === 200 ? (body as JsonObject) : undefined;
}

const optIn = (value: string) =>
  write("PATCH", CORE, { metadata: { labels: { "patroni-injector.io/injection": value } } }, MERGE);

function startController(): Controller {
  const connection = new KubeConnection(() => {
    const config = new KubeConfig();
    config.loadFromString(plane.kubeconfig.text);
    return config;
  });
  return new Controller(connection, {
    settings,
    openshift: () => false,
    logger: createLogger({ level: "silent" }),
    metrics: createMetrics(),
    identity: "test",
  });
}

/** As a sidecar publishes. */
async function publish(name: string): Promise<void> {
  const slice = (await read(SLICE)) as JsonObject;
  const pod = await read(`${CORE}/pods/${name}`);
  const targetRef = { kind: "Pod", namespace: "db", name, uid: at(pod, "metadata", "uid") ?? "" };
  const addresses = [String(at(pod, "status", "podIP"))];
  await write("PUT", SLICE, { ...slice, endpoints: [{ addresses, conditions: { ready: true }, targetRef }] });
}

function cleanup(...args: string[]): Promise<{ code: number; text: string; rows: Map<string, string> }> {
  const argv = [MAIN, "cleanup", "--kubeconfig", plane.kubeconfig.path, ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, argv, (error, stdout, stderr) => {
      const code = typeof error?.code === "number" ? error.code : 0;
      const cells = stdout.split("\n").map((line) => line.split(/ {2,}/));
      const rows = new Map(cells.map(([, , object = "", done = ""]) => [object, done]));
      resolve({ code, text: stdout + stderr, rows });
    });
  });
}

describe("leaving for good", () => {
  let controller: Controller;
  before(async () => {
    controller = startController();
    await eventually("the slice is there", async () => (await read(SLICE)) !== undefined);
    await publish("pg-0");
  });
  after(() => controller.stop());

  it("is refused while the namespace is opted in", async () => {
    const plain = await cleanup("--namespace", "db");
    assert.equal(plain.code, 0, plain.text);
    assert.match(plain.rows.get("*") ?? "", /^kept: the namespace is opted in, and pg-0/);
    const leave = await cleanup("--namespace", "db", "--leave-selector");
    assert.equal(leave.code, 1);
    assert.match(leave.rows.get("*") ?? "", /^refused: .*: opt out first$/);
  });

  it("takes nothing from pods that carry the sidecar, and says which", async () => {
    await optIn("disabled");
    const { code, rows, text } = await cleanup("--all-namespaces");
    assert.equal(code, 1, text);
    assert.deepEqual([...rows.keys()].filter((object) => object.includes("/")).sort(), [
      "endpointslices/pg-primary",
      "rolebindings/patroni-injector.pg.default",
      "roles/patroni-injector.pg.default",
      "services/pg-headless",
      "services/pg-primary",
    ]);
    for (const [object, done] of rows) {
      if (object.includes("/")) assert.match(done, /^kept: pg-\d still has the sidecar/, object);
    }
  });

  it("hands the Service over while sidecars and the controller run, and never to two at once", async (t) => {
    const kubernetes = startEndpointSlices(plane.api, "db", "pg-primary");
    const record = await recordAddresses(plane.api, "db", "pg-primary");
    t.after(() => kubernetes.stop());
    t.after(() => record.stop());
    const tried = await cleanup("-n", "db", "--leave-selector", "--dry-run");
    assert.match(
      tried.rows.get("services/pg-primary") ?? "",
      /^would select cluster-name=pg,role=primary \(now pg-0\)$/,
    );
    assert.deepEqual(publishedAddresses((await read(SLICE)) as JsonObject), ["10.1.2.0"]);

    const { rows, text } = await cleanup("-n", "db", "--leave-selector");
    assert.match(
      rows.get("services/pg-primary") ?? "",
      /^selects cluster-name=pg,role=primary \(now pg-0\); led nowhere for \d+ ms$/,
      text,
    );
    t.diagnostic(rows.get("services/pg-primary") ?? "");
    const service = await read(SERVICE);
    assert.deepEqual(at(service, "spec", "selector"), { "cluster-name": "pg", role: "primary" });
    assert.equal(at(service, "metadata", "labels"), undefined, "it is nobody's");
    assert.equal(at(service, "metadata", "annotations"), undefined);
    assert.equal(await read(SLICE), undefined);
    await eventually("all was looked at", async () => controller.depth === 0);
    assert.equal(await read(SLICE), undefined, "the controller makes none");
    assert.ok(
      record.led.every((sources) => sources.length <= 1),
      JSON.stringify(record.led),
    );
    assert.deepEqual(record.led.at(-1), [["10.1.2.0"]]);
    assert.notEqual(await read(ROLE), undefined, "pods still have the sidecar");
  });

  it("takes the rest once the pods came back without the sidecar, and then finds nothing", async () => {
    for (const [name, role] of [
      ["pg-0", "primary"],
      ["pg-1", "replica"],
    ] as const) {
      await write("DELETE", `${CORE}/pods/${name}?gracePeriodSeconds=0`);
      await addPod(name, role, false);
    }
    await eventually("the controller took its Role", async () => (await read(ROLE)) === undefined);
    const { code, rows, text } = await cleanup("-n", "db", "--leave-selector");
    assert.equal(code, 0, text);
    assert.equal(rows.get("services/pg-headless"), "removed");
    assert.notEqual(await read(SERVICE), undefined);

    const again = await cleanup("-n", "db");
    assert.equal(again.code, 0);
    assert.match(again.text, /^Nothing/);
  });
});

describe("handing over where no controller runs any more", () => {
  it("lets our slice lead until it goes, and begins nothing before", async (t) => {
    await prepareNamespace(plane.api, "left");
    const core = "/api/v1/namespaces/left";
    const labels = { role: "primary" };
    const metadata = { name: "pg-0", labels };
    const spec = { containers: [{ name: "patroni", image: "patroni" }] };
    await write("POST", `${core}/pods`, { apiVersion: "v1", kind: "Pod", metadata, spec });
    const status = { phase: "Running", podIP: "10.1.2.0", podIPs: [{ ip: "10.1.2.0" }] };
    await write("PATCH", `${core}/pods/pg-0/status`, { status }, MERGE);
    const service = { apiVersion: "v1", kind: "Service", metadata: { name: "pg-primary", labels: OURS } };
    await write("POST", `${core}/services`, { ...service, spec: { ports: [{ port: 5432 }] } });
    await write("POST", SLICE.replace("/db/", "/left/").replace("/pg-primary", ""), {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "pg-primary", labels: { ...OURS, "kubernetes.io/service-name": "pg-primary" } },
      addressType: "IPv4",
      endpoints: [{ addresses: ["10.1.2.0"] }],
    });
    const kubernetes = startEndpointSlices(plane.api, "left", "pg-primary");
    t.after(() => kubernetes.stop());
    const record = await recordAddresses(plane.api, "left", "pg-primary");
    t.after(() => record.stop());

    const order = { namespace: "left", service: "pg-primary", selector: labels };
    const waits = { controllerMs: 300, patienceMs: 10_000 };
    const ledNowhereMs = await handOver(new Objects(connect(plane.kubeconfig.path), 5000), {
      ...order,
      ...waits,
    });
    assert.ok(ledNowhereMs !== undefined);
    const counts = record.led.map((sources) => sources.length);
    assert.ok(Math.max(...counts) === 1, JSON.stringify(record.led));
    assert.equal(counts.at(-1), 1);
    assert.ok(counts.includes(0), "our slice was gone before another came");
  });
});

describe("a Service of the user's own", () => {
  it("is not changed; once it has a selector, our slice goes", async () => {
    const own = { apiVersion: "v1", kind: "Service", metadata: { name: "pg-primary" } };
    await write("DELETE", SERVICE);
    await write("DELETE", `${SLICE}-x7k2p`); // as Kubernetes' garbage collector does
    await write("POST", `${CORE}/services`, { ...own, spec: { ports: [{ port: 5432 }] } });
    await optIn("enabled");
    const controller = startController();
    await eventually("the slice is there", async () => (await read(SLICE)) !== undefined);
    await publish("pg-0");
    await controller.stop();
    await optIn("disabled");

    const { rows, text } = await cleanup("-n", "db", "--leave-selector");
    const says = rows.get("endpointslices/pg-primary") ?? "";
    assert.match(says, /^refused: the Service is your own: let it select cluster-name=pg,role=primary/, text);
    assert.notEqual(await read(SLICE), undefined);
    await write("PATCH", SERVICE, { spec: { selector: { role: "primary" } } }, MERGE);
    const again = await cleanup("-n", "db", "--leave-selector");
    assert.equal(again.rows.get("endpointslices/pg-primary"), "removed", again.text);
    await write("DELETE", SERVICE);
  });
});

describe("a cluster that is gone", () => {
  it("leaves nothing behind but a Service of which the world outside knows", async () => {
    await optIn("enabled");
    const controller = startController();
    await eventually(
      "the Services are there",
      async () => (await read(`${CORE}/services/pg-headless`)) !== undefined,
    );
    await eventually("the slice is there", async () => (await read(SLICE)) !== undefined);
    await controller.stop();
    for (const name of ["pg-0", "pg-1"]) await write("DELETE", `${CORE}/pods/${name}?gracePeriodSeconds=0`);
    await write("PATCH", SERVICE, { spec: { type: "NodePort" } }, MERGE);

    const tried = await cleanup("-n", "db", "--dry-run");
    assert.equal(tried.rows.get("services/pg-headless"), "would be removed");
    const { code, rows, text } = await cleanup("-n", "db");
    assert.equal(code, 0, text);
    assert.equal(rows.get("services/pg-primary"), "kept: it is of type NodePort");
    const left = await plane.api.request("GET", `${CORE}/services`);
    assert.equal(objectsIn(at(left.body, "items")).length, 1);
    assert.equal(await read(ROLE), undefined);
    assert.equal(await read(SLICE), undefined);
  });
});
