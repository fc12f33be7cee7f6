/**
 * Starts the programs of a cluster and ends; they stay. Runs inside the namespaces and the control group that its
 * caller made, so that all it starts is inside, too. `argv`: the cluster's folder. An error goes to stdout, for the
 * caller; progress goes to stderr.
 */
import { Resolver } from "node:dns/promises";
import { join } from "node:path";
import { at } from "../../../src/json/value.ts";
import { type ApiClient, createApiClient } from "../api-client.ts";
import { type AuditLevel, createAuditLog } from "../audit-log.ts";
import { type Authority, newAuthority, newKeyPair } from "../authority.ts";
import { startEtcd } from "../etcd.ts";
import { type ApiServer, SERVING_HOSTS, startApiServer } from "../kube-apiserver.ts";
import { kubeconfigFor } from "../kubeconfig.ts";
import { startProcess, untilReady } from "../processes.ts";
import { type Run, runFile } from "../run.ts";
import { API_PORT, API_SERVICE_IP, CLUSTER_DOMAIN, DNS_SERVICE_IP, NODE_IP, NODE_NAME } from "./addresses.ts";
import { startContainerd } from "./containerd.ts";
import { startCoreDns } from "./coredns.ts";
import { writeKubeconfigs } from "./identities.ts";
import { startControllerManager } from "./kube-controller-manager.ts";
import { startKubeProxy } from "./kube-proxy.ts";
import { startScheduler } from "./kube-scheduler.ts";
import { startKubelet } from "./kubelet.ts";
import type { Program } from "./programs.ts";
import { ADMIN_KUBECONFIG, BINARIES_FOLDER } from "./state.ts";

export interface BootOptions {
  /** Name of the cluster's control groups. */
  readonly cgroup: string;
  /** Keep an audit log. */
  readonly audit?: AuditLevel;
}

const NODE_READY_WITHIN_MS = 60_000;
const NAMES_READY_WITHIN_MS = 20_000;

async function boot(folder: string, options: BootOptions): Promise<void> {
  const run: Run = { folder, start: (spec) => startProcess(folder, spec) };
  const binary = (name: Program) => join(folder, BINARIES_FOLDER, name);
  const began = performance.now();
  const step = (what: string) => log(`${what} after ${((performance.now() - began) / 1000).toFixed(1)} s`);

  const authority = await newAuthority("cluster");
  const [server, containerd] = await Promise.all([
    startControlPlane(run, binary, authority, options),
    startContainerd(run, binary("containerd")),
  ]);
  step("API server ready");
  const { api, url } = server;
  const kubeconfigs = await writeKubeconfigs(run, authority, url);
  const kubeletSpec = {
    kubeconfig: kubeconfigs.kubelet,
    authority,
    clientCaFile: join(folder, "ca.crt"),
    runtimeSocket: containerd.socket,
    cgroup: `/${options.cgroup}`,
  };
  const [, , kubelet] = await Promise.all([
    startControllerManager(run, binary("kube-controller-manager"), kubeconfigs["kube-controller-manager"]),
    startScheduler(run, binary("kube-scheduler"), kubeconfigs["kube-scheduler"]),
    startKubelet(run, binary("kubelet"), kubeletSpec),
    startKubeProxy(run, binary("kube-proxy"), kubeconfigs["kube-proxy"]),
  ]);
  const coredns = await startCoreDns(run, binary("coredns"), kubeconfigs.coredns, api.request);
  await untilReady(kubelet, () => isNodeReady(api), NODE_READY_WITHIN_MS);
  step("node Ready");
  await untilReady(coredns, resolvesApi, NAMES_READY_WITHIN_MS);
  step("names answered through the Service of the DNS");
  api.close();
}

async function startControlPlane(
  run: Run,
  binary: (name: Program) => string,
  authority: Authority,
  options: BootOptions,
): Promise<ApiServer> {
  const [etcd, serviceAccountKeys, serving, kubeletClient, admin] = await Promise.all([
    startEtcd(run, binary("etcd")),
    newKeyPair(),
    authority.issueServer([...SERVING_HOSTS, NODE_IP, API_SERVICE_IP]),
    authority.issueClient("kube-apiserver", ["system:masters"]),
    authority.issueClient("admin", ["system:masters"]),
  ]);
  const audit = options.audit && (await createAuditLog(run.folder, options.audit));
  const furtherFlags = [
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    "--kubelet-preferred-address-types=InternalIP",
    `--kubelet-certificate-authority=${await runFile(run, "kubelet-ca.crt", authority.certPem)}`,
    `--kubelet-client-certificate=${await runFile(run, "kubelet-client.crt", kubeletClient.certPem)}`,
    `--kubelet-client-key=${await runFile(run, "kubelet-client.key", kubeletClient.keyPem)}`,
    ...(audit?.flags ?? []),
  ];
  const server = await startApiServer(
    run,
    binary("kube-apiserver"),
    { bind: "0.0.0.0", advertise: NODE_IP, port: API_PORT },
    {
      etcdUrl: etcd.url,
      clientCaPem: authority.certPem,
      serving,
      serviceAccountKeys,
      users: [],
      furtherFlags,
    },
    (url) => createApiClient(url, authority.certPem, admin),
  );
  await runFile(run, ADMIN_KUBECONFIG, kubeconfigFor(server.url, authority.certPem, admin));
  return server;
}

async function isNodeReady(api: ApiClient): Promise<boolean> {
  const { body } = await api.request("GET", `/api/v1/nodes/${NODE_NAME}`);
  const conditions = at(body, "status", "conditions");
  return (
    Array.isArray(conditions) &&
    conditions.some((condition) => at(condition, "type") === "Ready" && at(condition, "status") === "True")
  );
}

/** By way of kube-proxy to CoreDNS, which knows the Service from the API server: all three must work. */
async function resolvesApi(): Promise<boolean> {
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([DNS_SERVICE_IP]);
  return (await resolver.resolve4(`kubernetes.default.svc.${CLUSTER_DOMAIN}`)).includes(API_SERVICE_IP);
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}

const [folder = "", options = ""] = process.argv.slice(2);
try {
  await boot(folder, JSON.parse(options) as BootOptions);
} catch (error) {
  process.stdout.write((error as Error).message);
  process.exitCode = 1;
}
