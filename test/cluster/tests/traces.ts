import { readdir, readFile } from "node:fs/promises";
import { descendants, openCgroups } from "../node/cgroups.ts";
import { clusterFolder } from "../node/state.ts";

/** What there is of a cluster on this machine: its folder, control groups, and processes that know it or are in it. */
export async function tracesOf(name: string): Promise<string[]> {
  const folder = clusterFolder(name);
  const { folder: groupIn } = await openCgroups(`patroni-injector-${name}`);
  const groups = (["pids", "memory", "cpu"] as const).map((controller) => groupIn(controller));
  const found = await Promise.all([descendants(folder), ...groups.map(descendants), processesThatName(name)]);
  return found.flat();
}

async function processesThatName(name: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const lines = await Promise.all(
    pids.map(async (pid) => {
      const [arguments_, groups] = await Promise.all(
        ["cmdline", "cgroup"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")),
      );
      const isOurs =
        arguments_?.includes(clusterFolder(name)) || groups?.includes(`/patroni-injector-${name}/`);
      return isOurs ? [`${pid} ${arguments_?.replaceAll("\0", " ")}`] : [];
    }),
  );
  return lines.flat();
}
