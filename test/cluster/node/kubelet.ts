import { join } from "node:path";
import type { Authority } from "../authority.ts";
import { type RunningProcess, untilReady } from "../processes.ts";
import { type Run, runFile } from "../run.ts";
import { CLUSTER_DOMAIN, DNS_SERVICE_IP, NODE_IP, NODE_NAME } from "./addresses.ts";
import { httpOk } from "./http-ok.ts";

export interface KubeletSpec {
  readonly kubeconfig: string;
  readonly authority: Authority;
  /** Path of the file that holds the authority's certificate. */
  readonly clientCaFile: string;
  readonly runtimeSocket: string;
  /** The control group below which pods get theirs, e.g. `/patroni-injector-play`. */
  readonly cgroup: string;
}

const HEALTH_PORT = 10248;
const READY_WITHIN_MS = 30_000;

export async function startKubelet(run: Run, binary: string, spec: KubeletSpec): Promise<RunningProcess> {
  // The API server reaches the kubelet by its address, for exec and logs.
  const serving = await spec.authority.issueServer([NODE_NAME, NODE_IP]);
  const config = await runFile(run, "kubelet.json", {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: spec.clientCaFile },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: await runFile(run, "kubelet.crt", serving.certPem),
    tlsPrivateKeyFile: await runFile(run, "kubelet.key", serving.keyPem),
    containerRuntimeEndpoint: `unix://${spec.runtimeSocket}`,
    cgroupRoot: spec.cgroup,
    cgroupDriver: "cgroupfs",
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    // The machine's disk and memory are not this node's to judge: it neither evicts pods nor drops images.
    evictionHard: { "memory.available": "10Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
    imageGCHighThresholdPercent: 100,
    clusterDNS: [DNS_SERVICE_IP],
    clusterDomain: CLUSTER_DOMAIN,
    resolvConf: await runFile(run, "resolv.conf", `nameserver ${DNS_SERVICE_IP}\n`),
    podLogsDir: join(run.folder, "pod-logs"),
    volumePluginDir: join(run.folder, "volume-plugins"),
    healthzPort: HEALTH_PORT,
  });
  const process = await run.start({
    name: "kubelet",
    command: binary,
    args: [
      `--config=${config}`,
      `--kubeconfig=${spec.kubeconfig}`,
      `--root-dir=${join(run.folder, "kubelet")}`,
      `--hostname-override=${NODE_NAME}`,
      `--node-ip=${NODE_IP}`,
    ],
    stopWithinMs: 10_000,
  });
  await untilReady(process, () => httpOk(`http://127.0.0.1:${HEALTH_PORT}/healthz`), READY_WITHIN_MS);
  return process;
}
