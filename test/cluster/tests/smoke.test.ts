/** What a pod, a Service and a name need, from one start of a cluster to its end. Needs root; starts real containers. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import type { JsonObject } from "../../../src/json/value.ts";
import { type Cluster, startCluster } from "../cluster.ts";
import { ensureImage, type Image } from "../images/ensure.ts";
import { DNS_SERVICE_IP } from "../node/addresses.ts";
import { descendants, openCgroups, processesIn } from "../node/cgroups.ts";
import { tracesOf } from "./traces.ts";

const NAME = `smoke-${process.pid}`;
const run = promisify(execFile);

let cluster: Cluster;
let etcd: Image;

before(
  async () => {
    const log = (line: string) => process.stderr.write(`${line}\n`);
    cluster = await startCluster({ name: NAME, detached: false, audit: "Metadata" }, log);
    etcd = await ensureImage("etcd", log);
    await cluster.loadImage(etcd.archive);
    await cluster.loadImage((await ensureImage("pause", log)).archive);
  },
  { timeout: 1_800_000 }, // all is built where nothing is cached
);

after(() => cluster?.stop());

async function inside(argv: readonly string[], input = ""): Promise<string> {
  const [program = "", ...args] = [...cluster.enter, ...argv];
  const running = run(program, args);
  running.child.stdin?.end(input);
  return (await running).stdout;
}

const kubectl = (args: readonly string[], input?: string) =>
  inside([join(cluster.binaries, "kubectl"), `--kubeconfig=${cluster.kubeconfig}`, ...args], input);

const apply = (object: JsonObject) => kubectl(["apply", "--filename=-"], JSON.stringify(object));

const field = (resource: string, path: string) => kubectl(["get", resource, `--output=jsonpath={${path}}`]);

/** etcd serves HTTP out of an image that holds nothing else. */
function statefulSet(image: string): JsonObject {
  const labels = { app: "kv" };
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "kv", namespace: "default" },
    spec: {
      serviceName: "kv-pods",
      replicas: 2,
      podManagementPolicy: "Parallel",
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: "etcd",
              image,
              imagePullPolicy: "Never",
              args: [
                "--data-dir=/data",
                "--listen-client-urls=http://0.0.0.0:2379",
                "--advertise-client-urls=http://127.0.0.1:2379",
              ],
              readinessProbe: { httpGet: { path: "/health", port: 2379 }, periodSeconds: 1 },
              volumeMounts: [{ name: "data", mountPath: "/data" }],
              resources: { limits: { memory: "128Mi" } },
            },
          ],
          volumes: [{ name: "data", emptyDir: {} }],
        },
      },
    },
  };
}

function service(name: string, spec: JsonObject): JsonObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "default" },
    spec: { selector: { app: "kv" }, ports: [{ port: 80, targetPort: 2379 }], ...spec },
  };
}

/** Asks the cluster's DNS for a name, and the address it gets for its health. */
const ASK = `
import { Resolver } from "node:dns/promises";
const [server, name, port] = process.argv.slice(1);
const resolver = new Resolver();
resolver.setServers([server]);
const [address] = await resolver.resolve4(name);
const answer = await fetch("http://" + address + ":" + port + "/health");
console.log(JSON.stringify({ address, body: await answer.json() }));
`;

const ANSWERED_WITHIN_MS = 10_000;

/** Again and again, for a pod that is ready still has to reach kube-proxy's rules and CoreDNS. */
async function ask(name: string, port: number): Promise<{ address: string; body: unknown }> {
  const argv = [process.execPath, "--input-type=module", "--eval", ASK, "--"];
  const query = [DNS_SERVICE_IP, `${name}.default.svc.cluster.local`, String(port)];
  const deadline = performance.now() + ANSWERED_WITHIN_MS;
  for (;;) {
    try {
      return JSON.parse(await inside([...argv, ...query]));
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}

test("a StatefulSet's pods run, and are reached by their names and through a Service", async () => {
  await apply(service("kv", {}));
  await apply(service("kv-pods", { clusterIP: "None" }));
  await apply(statefulSet(etcd.reference));
  await kubectl(["rollout", "status", "statefulset/kv", "--timeout=60s"]);

  const byService = await ask("kv", 80);
  assert.equal(byService.address, await field("service/kv", ".spec.clusterIP"));
  assert.deepEqual(byService.body, { health: "true", reason: "" });
  assert.equal((await ask("kv-1.kv-pods", 2379)).address, await field("pod/kv-1", ".status.podIP"));
});

test("exec and logs reach the kubelet", async () => {
  assert.match(await kubectl(["exec", "kv-0", "--", "/etcd", "--version"]), /^etcd Version: 3\./);
  assert.match(await kubectl(["logs", "kv-0", "--tail=5"]), /"msg"/);
});

test("the audit log is kept", async () => {
  const log = await readFile(join(cluster.folder, "audit.log"), "utf8");
  assert.match(log, /"resource":"statefulsets"/);
});

test("nothing of a cluster is left after its end, though a pod was frozen", async () => {
  const uid = await field("pod/kv-0", ".metadata.uid");
  const pids = (await openCgroups(`patroni-injector-${NAME}`)).folder("pids");
  const frozen = (await descendants(pids)).filter((folder) => folder.includes(uid)).map(processesIn);
  const processes = (await Promise.all(frozen)).flat();
  assert.ok(processes.length > 0);
  for (const pid of processes) process.kill(pid, "SIGSTOP");

  assert.notDeepEqual(await tracesOf(NAME), []);
  await cluster.stop();
  assert.deepEqual(await tracesOf(NAME), []);
});
