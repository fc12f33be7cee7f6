import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A core for the server under test, and another for whatever drives it. */
export interface Cores {
  readonly server: number;
  readonly client: number;
}

/** Undefined where processes cannot be pinned: no `taskset`, no /proc, or fewer than two cores to run on. */
export function chooseCores(): Cores | undefined {
  if (spawnSync("taskset", ["--version"]).error !== undefined) return undefined;
  const [server, ...others] = allowedCpus();
  const client = others.at(-1);
  return server === undefined || client === undefined ? undefined : { server, client };
}

/** Pins all threads of this process, and those that it starts from now on. */
export function pinSelf(cpu: number): void {
  const { status, stderr } = spawnSync("taskset", [
    "--all-tasks",
    "--cpu-list",
    "--pid",
    `${cpu}`,
    `${process.pid}`,
  ]);
  if (status !== 0) throw new Error(`taskset: ${stderr}`);
}

/** The command line that runs a command on one core; the process keeps its id, for taskset replaces itself. */
export function onCore(cpu: number | undefined, command: readonly string[]): readonly string[] {
  return cpu === undefined ? command : ["taskset", "--cpu-list", `${cpu}`, ...command];
}

/** From a list such as `0-3,8`. */
function allowedCpus(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(textOf("/proc/self/status"))?.[1] ?? "";
  return list.split(",").flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split("-").map(Number);
    return Number.isNaN(first) ? [] : Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
