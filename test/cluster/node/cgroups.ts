import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/**
 * The control groups of a run: `/<name>` in every hierarchy of version 1, or in the only one of version 2. All
 * processes of a run are below it, so they are known without trusting a pid that was written down.
 */
export interface Cgroups {
  readonly name: string;
  /** The run's group in the hierarchy of that controller. */
  folder(controller: Controller): string;
  /** Its group for all that is no pod's. */
  readonly programs: string;
}

export type Controller = "pids" | "memory" | "cpu";

/** Containers may have the same hierarchies elsewhere. */
const ROOT = "/sys/fs/cgroup";
const PROGRAMS = "programs";
const EMPTY_WITHIN_MS = 10_000;
const POLL_MS = 50;

/** Where the hierarchies are mounted, with the mount options, which name the controllers in version 1. */
interface Hierarchy {
  readonly mount: string;
  readonly options: readonly string[];
  /** Version 2. */
  readonly isUnified: boolean;
}

export async function openCgroups(name: string): Promise<Cgroups> {
  const hierarchies = await listHierarchies();
  const folder = (controller: Controller) => {
    const version1 = hierarchies.find(({ options }) => options.includes(controller));
    const found = version1 ?? hierarchies.find(({ isUnified }) => isUnified);
    if (found === undefined) throw new Error(`no cgroup hierarchy with ${controller} is mounted`);
    return join(found.mount, name);
  };
  return { name, folder, programs: join(folder("pids"), PROGRAMS) };
}

export async function createCgroups({ name, programs }: Cgroups): Promise<void> {
  for (const { mount, options, isUnified } of await listHierarchies()) {
    const folder = join(mount, name);
    await mkdir(folder);
    if (options.includes("cpuset")) await inheritCpuset(mount, folder);
    if (isUnified) await enableControllers(mount, folder);
  }
  await mkdir(programs);
}

/** Removes the groups, which must have no processes; the kernel may take a moment to notice that they are gone. */
export async function removeCgroups({ name }: Cgroups): Promise<void> {
  for (const { mount } of await listHierarchies()) {
    for (const folder of (await descendants(join(mount, name))).reverse()) await removeWhenEmpty(folder);
  }
}

/** Pids of the processes in a group and below; none where there is no such group. */
export async function processesIn(folder: string): Promise<number[]> {
  const pids: number[] = [];
  for (const group of await descendants(folder)) {
    const text = await readFile(join(group, "cgroup.procs"), "utf8").catch(() => "");
    pids.push(...text.split("\n").filter(Boolean).map(Number));
  }
  return pids;
}

/** The group itself and all below it, parents first; empty where it does not exist. */
export async function descendants(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return [];
  const below: string[] = [];
  for (const entry of entries) {
    if (entry.isDirectory()) below.push(...(await descendants(join(folder, entry.name))));
  }
  return [folder, ...below];
}

async function listHierarchies(): Promise<Hierarchy[]> {
  const lines = (await readFile("/proc/mounts", "utf8")).split("\n").map((line) => line.split(" "));
  const mounted = (type: string) =>
    lines
      .filter(([, mount = "", kind]) => kind === type && mount.startsWith(ROOT))
      .map(([, mount = "", , options = ""]) => ({
        mount,
        options: options.split(","),
        isUnified: type === "cgroup2",
      }));
  // Beside version 1, version 2 may be mounted without controllers. runc makes groups there nonetheless.
  return [...mounted("cgroup"), ...mounted("cgroup2")];
}

/** A new cpuset of version 1 has no CPUs: nothing could run in it. */
async function inheritCpuset(parent: string, folder: string): Promise<void> {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    await writeFile(join(folder, file), await readFile(join(parent, file)));
  }
}

/** Version 2: a group has the controllers that its parent hands down. */
async function enableControllers(parent: string, folder: string): Promise<void> {
  const available = await readFile(join(parent, "cgroup.controllers"), "utf8").catch(() => "");
  const line = available
    .split(/\s+/)
    .filter(Boolean)
    .map((controller) => `+${controller}`)
    .join(" ");
  if (line === "") return;
  await writeFile(join(parent, "cgroup.subtree_control"), line);
  await writeFile(join(folder, "cgroup.subtree_control"), line);
}

async function removeWhenEmpty(folder: string): Promise<void> {
  const deadline = performance.now() + EMPTY_WITHIN_MS;
  for (;;) {
    try {
      return await rmdir(folder);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return;
      if (code !== "EBUSY" || performance.now() > deadline) throw error;
      await delay(POLL_MS);
    }
  }
}
