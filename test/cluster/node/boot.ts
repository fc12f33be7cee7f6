/**
 * Starts the programs of a cluster and ends; they stay. Runs inside the namespaces and the control group that its
 * caller made, so that all it starts is inside, too. `argv`: the cluster's folder and {@link BootOptions}. An error
 * goes to stdout, for the caller; progress goes to stderr.
 */
import { join } from "node:path";
import type { AuditLevel } from "../audit-log.ts";
import { newAuthority } from "../authority.ts";
import { startProcess, untilReady } from "../processes.ts";
import type { Run } from "../run.ts";
import { startNodeApiServer } from "./api-server.ts";
import { startContainerd } from "./containerd.ts";
import { startCoreDns } from "./coredns.ts";
import { writeKubeconfigs } from "./identities.ts";
import { startControllerManager } from "./kube-controller-manager.ts";
import { startKubeProxy } from "./kube-proxy.ts";
import { startScheduler } from "./kube-scheduler.ts";
import { startKubelet } from "./kubelet.ts";
import type { Program } from "./programs.ts";
import { hasSystemNamespaces, isNodeReady, resolvesApi, takesPods } from "./ready.ts";
import { BINARIES_FOLDER } from "./state.ts";

export interface BootOptions {
  /** Name of the cluster's control groups. */
  readonly cgroup: string;
  /** Keep an audit log. */
  readonly audit?: AuditLevel;
}

const OBJECTS_WITHIN_MS = 30_000;
const NODE_READY_WITHIN_MS = 60_000;
const NAMES_READY_WITHIN_MS = 20_000;

async function boot(folder: string, options: BootOptions): Promise<void> {
  const run: Run = { folder, start: (spec) => startProcess(folder, spec) };
  const binary = (name: Program) => join(folder, BINARIES_FOLDER, name);

  const authority = await newAuthority("cluster");
  const apiBinaries = { etcd: binary("etcd"), apiServer: binary("kube-apiserver") };
  const [{ api, url, process: apiServer }, runtimeSocket] = await Promise.all([
    startNodeApiServer(run, apiBinaries, authority, options.audit),
    startContainerd(run, binary("containerd")),
  ]);
  await untilReady(apiServer, () => hasSystemNamespaces(api), OBJECTS_WITHIN_MS);
  progress("the API server is ready");

  const kubeconfigs = await writeKubeconfigs(run, authority, url);
  const kubeletSpec = {
    kubeconfig: kubeconfigs.kubelet,
    authority,
    clientCaFile: join(folder, "ca.crt"),
    runtimeSocket,
    cgroup: `/${options.cgroup}`,
  };
  const [kubelet, coredns, controllers] = await Promise.all([
    startKubelet(run, binary("kubelet"), kubeletSpec),
    startCoreDns(run, binary("coredns"), kubeconfigs.coredns, api.request),
    startControllerManager(run, binary("kube-controller-manager"), kubeconfigs["kube-controller-manager"]),
    startKubeProxy(run, binary("kube-proxy"), kubeconfigs["kube-proxy"]),
    startScheduler(run, binary("kube-scheduler"), kubeconfigs["kube-scheduler"]),
  ]);
  await untilReady(controllers, () => takesPods(api), OBJECTS_WITHIN_MS);
  await untilReady(kubelet, () => isNodeReady(api), NODE_READY_WITHIN_MS);
  progress("the node is ready");
  await untilReady(coredns, resolvesApi, NAMES_READY_WITHIN_MS);
  progress("names are answered");
  api.close();
}

function progress(what: string): void {
  process.stderr.write(`${what} after ${(performance.now() / 1000).toFixed(1)} s\n`);
}

const [folder = "", options = ""] = process.argv.slice(2);
try {
  await boot(folder, JSON.parse(options) as BootOptions);
} catch (error) {
  process.stdout.write((error as Error).message);
  process.exitCode = 1;
}
