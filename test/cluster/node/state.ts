import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** All clusters of this machine have their folder here. Images are unpacked into it: it must not be an overlay itself. */
export const CLUSTERS_FOLDER = "/var/lib/patroni-injector-clusters";

/** In the folder of a cluster: the administrator's kubeconfig, and links to all its binaries. */
export const ADMIN_KUBECONFIG = "admin.kubeconfig";
export const BINARIES_FOLDER = "bin";

const STATE_FILE = "cluster.json";

/** What is needed to take a cluster down, written before anything of it exists. */
export interface ClusterState {
  readonly name: string;
  /** Name of its control groups. */
  readonly cgroup: string;
  /** The process without which the cluster has no use; a cluster without one stays until it is taken down. */
  readonly owner?: ProcessIdentity;
}

/** A process that no later one with the same pid can be taken for. */
export interface ProcessIdentity {
  readonly pid: number;
  /** In clock ticks since the machine's start. */
  readonly startedAt: string;
}

export function clusterFolder(name: string): string {
  return join(CLUSTERS_FOLDER, name);
}

/** @throws Error where a cluster of that name exists already */
export async function createState(state: ClusterState): Promise<string> {
  const folder = clusterFolder(state.name);
  await mkdir(CLUSTERS_FOLDER, { recursive: true });
  try {
    await mkdir(folder, { mode: 0o711 }); // pods' users pass through
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    throw new Error(`a cluster named ${state.name} exists already: ${folder}`, { cause });
  }
  await writeState(state);
  return folder;
}

export async function writeState(state: ClusterState): Promise<void> {
  const path = join(clusterFolder(state.name), STATE_FILE);
  await writeFile(`${path}.new`, `${JSON.stringify(state, null, 2)}\n`);
  await rename(`${path}.new`, path);
}

/** Undefined where there is no cluster of that name. */
export async function readState(name: string): Promise<ClusterState | undefined> {
  const text = await readFile(join(clusterFolder(name), STATE_FILE), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as ClusterState);
}

export async function listClusters(): Promise<ClusterState[]> {
  const names = await readdir(CLUSTERS_FOLDER).catch(() => []);
  const states = await Promise.all(names.sort().map(readState));
  return states.filter((state) => state !== undefined);
}

export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The name in parentheses may hold anything; start time is field 22, the 20th after it (proc(5)).
  const startedAt = stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  return startedAt === undefined ? undefined : { pid, startedAt };
}

/** Whether the owner is gone: then nobody will take the cluster down. */
export async function isOrphan({ owner }: ClusterState): Promise<boolean> {
  if (owner === undefined) return false;
  return (await identify(owner.pid))?.startedAt !== owner.startedAt;
}
