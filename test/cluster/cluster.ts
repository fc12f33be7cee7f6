import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { AuditLevel } from "./audit-log.ts";
import { ensureBinaries, type Log } from "./build.ts";
import { startBoot } from "./node/boot-process.ts";
import { createCgroups, openCgroups } from "./node/cgroups.ts";
import { guard } from "./node/guard.ts";
import { loadImage } from "./node/images.ts";
import { createNamespaces, inNetwork } from "./node/namespaces.ts";
import { FURTHER_BINARIES, PROGRAMS } from "./node/programs.ts";
import {
  ADMIN_KUBECONFIG,
  BINARIES_FOLDER,
  CLUSTERS_FOLDER,
  type ClusterState,
  clusterFolder,
  createState,
  identify,
  isOrphan,
  listClusters,
  writeState,
} from "./node/state.ts";
import { tearDown } from "./node/tear-down.ts";
import { PID_FOLDER } from "./processes.ts";
import { ensureHost, ensureRequirements } from "./requirements.ts";

export interface ClusterOptions {
  /** Tells clusters of one machine apart: at most 30 of `a-z`, `0-9` and `-`. */
  readonly name: string;
  /** Whether the cluster stays when this process ends; otherwise it is taken down then, however the end came. */
  readonly detached: boolean;
  /** Keep an audit log, `audit.log` in the cluster's folder. */
  readonly audit?: AuditLevel;
}

/** A running cluster of one node, in a network of its own. */
export interface Cluster {
  readonly name: string;
  /** Holds all that belongs to it; a log of each program, `<program>.log`, among it. */
  readonly folder: string;
  /** Path of the administrator's kubeconfig. Its server is reached from inside the cluster's network only. */
  readonly kubeconfig: string;
  /** Folder with the binaries of the cluster, `kubectl` and `helm` among them. */
  readonly binaries: string;
  /** What goes before a program and its arguments, so that it runs inside the cluster's network. */
  readonly enter: readonly string[];
  /** Loads an image from an OCI archive, under the name that it has there. */
  loadImage(archive: string): Promise<void>;
  /** Ends the processes and removes all that the cluster made. */
  stop(): Promise<void>;
}

const NAME = /^[a-z0-9-]{1,30}$/;

/**
 * Builds and installs what is missing and starts a cluster: on return its node is ready and names are answered.
 * Clusters whose owner is gone are taken down before.
 *
 * @throws RequirementError or BuildError that says what is missing; Error with the end of the log of a program that
 *   does not start
 */
export async function startCluster(options: ClusterOptions, log: Log): Promise<Cluster> {
  const { name, detached, audit } = options;
  if (!NAME.test(name)) throw new Error(`not a name for a cluster: ${name}`);
  const binaries = await prepareClusters(log);
  await takeDownOrphans();

  const owner = await identify(process.pid);
  const state: ClusterState = { name, cgroup: `patroni-injector-${name}`, ...(owner && { owner }) };
  const folder = await createState(state);
  const release = guard(name);
  const stop = async () => {
    await tearDown(state);
    release();
  };
  try {
    await mkdir(join(folder, PID_FOLDER));
    await mkdir(join(folder, BINARIES_FOLDER));
    for (const [binary, path] of Object.entries(binaries)) {
      await symlink(path, join(folder, BINARIES_FOLDER, binary));
    }
    const cgroups = await openCgroups(state.cgroup);
    await createCgroups(cgroups);
    await createNamespaces(folder, cgroups);
    await startBoot(folder, cgroups, { cgroup: state.cgroup, ...(audit && { audit }) }, log);
  } catch (error) {
    await stop();
    throw error;
  }
  if (detached) {
    await writeState({ name, cgroup: state.cgroup });
    release();
  }
  return { ...describeCluster(name), stop };
}

/**
 * Installs and builds what clusters need and is missing: minutes where nothing is cached.
 *
 * @returns paths of the binaries
 * @throws RequirementError or BuildError that says what is missing
 */
export async function prepareClusters(log: Log): Promise<Readonly<Record<string, string>>> {
  await ensureRequirements(log);
  await mkdir(CLUSTERS_FOLDER, { recursive: true });
  await ensureHost(CLUSTERS_FOLDER);
  return ensureBinaries([...PROGRAMS, ...FURTHER_BINARIES], log);
}

/** A cluster that runs already, by its name. Nothing is asked of it. */
export function describeCluster(name: string): Omit<Cluster, "stop"> {
  const folder = clusterFolder(name);
  return {
    name,
    folder,
    kubeconfig: join(folder, ADMIN_KUBECONFIG),
    binaries: join(folder, BINARIES_FOLDER),
    enter: inNetwork(folder, []),
    loadImage: (archive) => loadImage(folder, archive),
  };
}

/** Takes down what interrupted runs left. */
export async function takeDownOrphans(): Promise<void> {
  for (const state of await listClusters()) {
    if (await isOrphan(state)) await tearDown(state);
  }
}
