import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { untilReady } from "../processes.ts";
import { type Run, runFile } from "../run.ts";
import { POD_CIDR } from "./addresses.ts";

/** The image of the container that holds a pod's namespaces; it must be loaded before the first pod. */
const PAUSE_IMAGE = "registry.k8s.io/pause:3.10";

/** In the node's own `/run`. Short: a socket's path has at most 107 bytes, and shims add to it. */
const STATE = "/run/containerd";
/** Where Debian's containernetworking-plugins are. */
const CNI_PLUGINS = "/usr/lib/cni";
const READY_WITHIN_MS = 20_000;

/** @returns the path of its socket, inside the node */
export async function startContainerd(run: Run, binary: string): Promise<string> {
  const socket = `${STATE}/containerd.sock`;
  await mkdir(join(run.folder, "cni"));
  await runFile(run, "cni/pods.conflist", POD_NETWORK);
  const config = await runFile(run, "containerd.toml", toml(run.folder, socket));
  const process = await run.start({
    name: "containerd",
    command: binary,
    args: [`--config=${config}`],
    stopWithinMs: 10_000,
  });
  const isReady = async () => {
    await access(socket);
    return true;
  };
  await untilReady(process, isReady, READY_WITHIN_MS);
  return socket;
}

/**
 * A pair of interfaces for each pod, and the node routes between them: what goes from a pod to a Service passes the
 * node's packet filter both ways, which on a bridge only a kernel module of the whole machine (br_netfilter) can do.
 * It enforces no NetworkPolicy.
 */
const POD_NETWORK = {
  cniVersion: "1.0.0",
  name: "pods",
  plugins: [
    {
      type: "ptp",
      ipam: {
        type: "host-local",
        ranges: [[{ subnet: POD_CIDR.replace(/\/\d+$/, "/24") }]],
        routes: [{ dst: "0.0.0.0/0" }],
        dataDir: "/run/cni",
      },
    },
    { type: "portmap", capabilities: { portMappings: true } },
  ],
};

/**
 * Without CAP_SYS_RESOURCE no process may be protected from the OOM killer better than its parent: hence the
 * restriction. An AppArmor profile would be loaded into the machine's kernel, and outlive the cluster.
 */
function toml(folder: string, socket: string): string {
  const text = JSON.stringify;
  return `version = 3
root = ${text(join(folder, "containerd"))}
state = ${text(STATE)}
[grpc]
  address = ${text(socket)}
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = ${text(PAUSE_IMAGE)}
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  disable_apparmor = true
[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = [${text(CNI_PLUGINS)}]
  conf_dir = ${text(join(folder, "cni"))}
  max_conf_num = 1
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  SystemdCgroup = false
[plugins."io.containerd.nri.v1.nri"]
  disable = true
`;
}
