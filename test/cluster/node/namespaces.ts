import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startProcess, untilReady } from "../processes.ts";
import { NODE_IP, NODE_PREFIX } from "./addresses.ts";
import type { Cgroups } from "./cgroups.ts";

const READY_WITHIN_MS = 10_000;

/** Links in the run's folder to the namespaces of its node, for nsenter. They dangle once the node is gone. */
export const NETWORK_NAMESPACE = "net";
export const MOUNT_NAMESPACE = "mnt";

/**
 * Kernel settings that the kubelet demands. It sets them for the whole machine where they differ, so it gets to
 * see files of the run that hold these values.
 */
const KUBELET_SYSCTLS: Readonly<Record<string, string>> = {
  "vm/overcommit_memory": "1",
  "vm/panic_on_oom": "0",
  "kernel/panic": "10",
  "kernel/panic_on_oops": "1",
  "kernel/keys/root_maxkeys": "1000000",
  "kernel/keys/root_maxbytes": "25000000",
};

/**
 * Makes the node's network and its view of the file system, then stays: both go with the last process in them,
 * and with them every mount and interface of the run. `$1` is the folder with the kubelet's settings.
 *
 * - Mounts do not reach the machine's own namespace, but spread below the node (pods may ask for that).
 * - `/run` is new: sockets, locks and network namespaces of containerd, CNI and iptables keep to the node. So are
 *   the places where a kubelet writes whatever its flags say; an empty /var/lib/kubelet is all that outlives the run.
 * - The kubelet wants a node address that is not a loopback one, and a default route. A pair of interfaces whose
 *   ends both stay here gives it both; some kernels have no `dummy` interface.
 */
const HOLD = `
set -eu
PATH=$PATH:/usr/sbin:/sbin
mount --make-rshared /
mkdir -p /var/lib/kubelet
for place in /run /var/log /var/lib/kubelet; do mount -t tmpfs -o mode=755 tmpfs "$place"; done
(cd "$1" && find . -type f) | while read -r file; do mount --bind "$1/$file" "/proc/sys/$file"; done
ip link set lo up
ip link add node0 type veth peer name node1
ip link set node0 up
ip link set node1 up
ip address add ${NODE_IP}/${NODE_PREFIX} dev node0
ip route add default dev node0
echo 1 > /proc/sys/net/ipv4/ip_forward
echo ready
exec sleep infinity
`;

/** Joins the group `$1` before it becomes the command that follows: no child of it is ever outside. */
export const JOIN_CGROUP = 'echo $$ > "$1/cgroup.procs" && shift && exec "$@"';

/**
 * Makes the namespaces of a run, held by the process `node`.
 *
 * @throws Error with what went wrong where the kernel or a missing privilege does not allow it
 */
export async function createNamespaces(folder: string, cgroups: Cgroups): Promise<void> {
  const sysctls = join(folder, "sysctls");
  for (const [name, value] of Object.entries(KUBELET_SYSCTLS)) {
    await mkdir(join(sysctls, name, ".."), { recursive: true });
    await writeFile(join(sysctls, name), `${value}\n`);
  }
  const unshare = [
    "unshare",
    "--net",
    "--mount",
    "--propagation=private",
    "/bin/sh",
    "-c",
    HOLD,
    "node",
    sysctls,
  ];
  const holder = await startProcess(folder, {
    name: "node",
    command: "/bin/sh",
    args: ["-c", JOIN_CGROUP, "join", cgroups.programs, ...unshare],
    stopWithinMs: 1_000,
  });
  const isReady = async () => (await readFile(holder.logFile, "utf8")).includes("ready\n");
  await untilReady(holder, isReady, READY_WITHIN_MS);
  await symlink(`/proc/${holder.pid}/ns/net`, join(folder, NETWORK_NAMESPACE));
  await symlink(`/proc/${holder.pid}/ns/mnt`, join(folder, MOUNT_NAMESPACE));
}

/** Puts a command line into the node's network; its files are the machine's. */
export function inNetwork(folder: string, argv: readonly string[]): string[] {
  return ["nsenter", `--net=${join(folder, NETWORK_NAMESPACE)}`, "--", ...argv];
}

/** Puts a command line into the node itself: its network, its mounts, its `/run`. */
export function inNode(folder: string, argv: readonly string[]): string[] {
  const mounts = `--mount=${join(folder, MOUNT_NAMESPACE)}`;
  return ["nsenter", `--net=${join(folder, NETWORK_NAMESPACE)}`, mounts, "--", ...argv];
}
