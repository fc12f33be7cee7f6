import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ApiClient } from "../../demo/client.ts";
import { SliceRecorder } from "../../demo/failover/recorder.ts";
import type { KubeApi } from "../../demo/kube-api/server.ts";
import { SimulatedCluster } from "../../demo/patroni/cluster.ts";
import { bundle } from "../bundle.ts";
import { startProcess } from "../processes.ts";
import { usageOf } from "../usage.ts";

export interface AtRest {
  readonly residentMiB: number;
  readonly anonymousMiB: number;
  readonly millicores: number;
  /** Of any object, at the API server. */
  readonly writes: number;
  readonly seconds: number;
}

const NAMESPACE = "rest";
const SERVICE = "pg-primary";
const USER = "sidecar-at-rest";
const READS = ["get", "list", "watch"];
const KIB_IN_MIB = 1024;
/** The garbage collector's first rounds, and V8's compilers, come to an end. */
const SETTLE_MS = 5000;

/** The sidecar of a published primary as it is shipped, bundled, while nothing happens. */
export async function measureAtRest(
  api: KubeApi,
  client: ApiClient,
  folder: string,
  seconds: number,
  signal: AbortSignal,
): Promise<AtRest> {
  const main = await bundle(folder);
  await client.create("/api/v1/namespaces", {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: NAMESPACE },
  });
  await client.create(`/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`, {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: SERVICE, labels: { "kubernetes.io/service-name": SERVICE } },
    addressType: "IPv4",
    endpoints: [],
    ports: [{ name: "tcp-postgres", port: 5432, protocol: "TCP" }],
  });
  const cluster = new SimulatedCluster({
    scope: "pg",
    names: ["pg-0"],
    hosts: ["127.31.0.1"],
    pace: 0.1,
    keepLeader: () => Promise.resolve(),
  });
  await cluster.start();
  const [member] = cluster.members;
  if (member === undefined) throw new Error("the cluster has no member");
  const recorder = new SliceRecorder(api, NAMESPACE, SERVICE);
  const tokenDir = join(folder, "token");
  await mkdir(tokenDir);
  await writeFile(join(tokenDir, "token"), api.tokens.issue(USER));
  await writeFile(join(tokenDir, "ca.crt"), api.caPem);
  const { hostname, port } = new URL(api.url);
  const environment = {
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
    POD_NAME: member.name,
    POD_NAMESPACE: NAMESPACE,
    POD_UID: "uid",
    POD_IP: member.host,
    PATRONI_INJECTOR_CLUSTER: "pg",
    PATRONI_INJECTOR_PRIMARY_SERVICE: SERVICE,
    PATRONI_INJECTOR_PORT: String(await freePort()),
    PATRONI_INJECTOR_POSTGRES_PORT: String(member.ports.postgres),
    PATRONI_INJECTOR_PATRONI_PORT: String(member.ports.rest),
    PATRONI_INJECTOR_TOKEN_DIR: tokenDir,
  };
  const assignments = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const command = ["env", ...assignments, process.execPath, main, "sidecar"];
  const sidecar = startProcess(command, { cpu: undefined, signal, stdio: ["ignore", "ignore", "inherit"] });
  try {
    await recorder.shows([member.host], 15_000);
    await delay(SETTLE_MS, undefined, { signal });
    const [before, began] = [usageOf(sidecar.pid), performance.now()];
    const since = Date.now();
    await delay(seconds * 1000, undefined, { signal });
    const [after, passed] = [usageOf(sidecar.pid), (performance.now() - began) / 1000];
    if (before === undefined || after === undefined)
      throw new Error("the sidecar is gone, or there is no /proc");
    return {
      residentMiB: after.residentBytes / KIB_IN_MIB / KIB_IN_MIB,
      anonymousMiB: anonymousKiB(sidecar.pid) / KIB_IN_MIB,
      millicores: ((after.cpuSeconds - before.cpuSeconds) / passed) * 1000,
      writes: api.audit.entries.filter(
        ({ user, verb, time }) => user === USER && !READS.includes(verb) && time >= since,
      ).length,
      seconds: passed,
    };
  } finally {
    await cluster.stop();
    await sidecar.stop();
    recorder.stop();
  }
}

/** What is the process's own, without the mapped Node binary (proc_pid_smaps(5)). */
function anonymousKiB(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Anonymous:\s+(\d+) kB$/m.exec(rollup)?.[1]);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
