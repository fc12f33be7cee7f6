import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** All clusters of this machine have their folder here. It must be there before the first. */
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

/**
 * Makes the folder of a cluster, with the state in it from its first moment.
 *
 * @throws Error where a cluster of that name exists already
 */
export async function createState(state: ClusterState): Promise<string> {
  const folder = clusterFolder(state.name);
  const unfinished = join(CLUSTERS_FOLDER, `.${state.name}.${process.pid}`);
  await mkdir(unfinished);
  await chmod(unfinished, 0o711); // pods' users pass through
  await writeFile(join(unfinished, STATE_FILE), textOf(state));
  try {
    await rename(unfinished, folder);
  } catch (cause) {
    await rm(unfinished, { recursive: true });
    if ((cause as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw cause;
    throw new Error(`a cluster named ${state.name} exists already: ${folder}`, { cause });
  }
  return folder;
}

export async function writeState(state: ClusterState): Promise<void> {
  const path = join(clusterFolder(state.name), STATE_FILE);
  await writeFile(`${path}.new`, textOf(state));
  await rename(`${path}.new`, path);
}

/** Removes the folder of a cluster, the state last: should this be interrupted, the rest is still known by it. */
export async function removeState({ name }: ClusterState): Promise<void> {
  const folder = clusterFolder(name);
  const entries = await readdir(folder).catch(() => []);
  for (const entry of entries.filter((other) => other !== STATE_FILE)) {
    await rm(join(folder, entry), { recursive: true, force: true });
  }
  await rm(folder, { recursive: true, force: true });
}

const textOf = (state: ClusterState) => `${JSON.stringify(state, null, 2)}\n`;

/** Undefined where there is no cluster of that name. */
export async function readState(name: string): Promise<ClusterState | undefined> {
  const text = await readFile(join(clusterFolder(name), STATE_FILE), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as ClusterState);
}

export async function listClusters(): Promise<ClusterState[]> {
  const names = await readdir(CLUSTERS_FOLDER).catch(() => []);
  const states = await Promise.all(
    names
      .filter((name) => !name.startsWith("."))
      .sort()
      .map(readState),
  );
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
