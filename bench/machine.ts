import { arch, cpus, loadavg, release, totalmem, type } from "node:os";
import type { Cores } from "./cores.ts";

/** What one must know of the machine to read the figures. */
export interface Machine {
  readonly node: string;
  readonly system: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** The cores of the server and of the client; null where they share whatever there is. */
  readonly pinned: Cores | null;
  /** Runnable processes in the last minute, before the benchmark. */
  readonly loadBefore: number;
}

export function describeMachine(cores: Cores | undefined): Machine {
  const all = cpus();
  return {
    node: process.version,
    system: `${type()} ${release()} ${arch()}`,
    cpu: all[0]?.model ?? "unknown",
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    pinned: cores ?? null,
    loadBefore: currentLoad(),
  };
}

/** Runnable processes, averaged over the last minute. */
export const currentLoad = (): number => Math.round((loadavg()[0] ?? 0) * 100) / 100;
