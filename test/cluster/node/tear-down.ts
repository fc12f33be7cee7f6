import { setTimeout as delay } from "node:timers/promises";
import { type Cgroups, openCgroups, processesIn, removeCgroups } from "./cgroups.ts";
import { readPid } from "./pids.ts";
import { PROGRAMS } from "./programs.ts";
import { type ClusterState, clusterFolder, removeState } from "./state.ts";

const TERM_WITHIN_MS = 10_000;
const KILL_WITHIN_MS = 20_000;
const POLL_MS = 50;

/**
 * Ends all processes of a cluster and removes what it made. Knows what to do from the cluster's folder and the
 * control groups alone, so whoever calls this need not have started it, and half of a cluster is taken down as well
 * as a whole one. Its mounts, interfaces and packet filters go with the last process in its namespaces.
 */
export async function tearDown(state: ClusterState): Promise<void> {
  const folder = clusterFolder(state.name);
  const cgroups = await openCgroups(state.cgroup);
  for (const program of [...PROGRAMS].reverse()) {
    await terminate(cgroups, await readPid(folder, program));
    // From here on nobody starts a container again, and containerd still reaps those that end.
    if (program === "kubelet") await killPods(cgroups);
  }
  await killAll(async () => await processesIn(cgroups.folder("pids")));
  await removeCgroups(cgroups);
  await removeState(state);
}

/** SIGTERM, and time to end. A pid that is not in the cluster's group belongs to somebody else by now. */
async function terminate(cgroups: Cgroups, pid: number | undefined): Promise<void> {
  if (pid === undefined) return;
  const isThere = async () => (await processesIn(cgroups.programs)).includes(pid);
  if (await isThere()) signal(pid, "SIGTERM");
  const deadline = performance.now() + TERM_WITHIN_MS;
  while ((await isThere()) && performance.now() < deadline) await delay(POLL_MS);
}

async function killPods(cgroups: Cgroups): Promise<void> {
  await killAll(async () => {
    const programs = new Set(await processesIn(cgroups.programs));
    return (await processesIn(cgroups.folder("pids"))).filter((pid) => !programs.has(pid));
  });
}

/** SIGKILL until none is left; some may have been born meanwhile. A frozen process dies of it, too. */
async function killAll(list: () => Promise<number[]>): Promise<void> {
  const deadline = performance.now() + KILL_WITHIN_MS;
  for (let pids = await list(); pids.length > 0; pids = await list()) {
    if (performance.now() > deadline) throw new Error(`processes outlive SIGKILL: ${pids.join(" ")}`);
    for (const pid of pids) signal(pid, "SIGKILL");
    await delay(POLL_MS);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
