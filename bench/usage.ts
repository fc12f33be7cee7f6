import { readFileSync } from "node:fs";

/** What a process has used so far. */
export interface Usage {
  /** User and system time of all its threads. */
  readonly cpuSeconds: number;
  /** Time in which its main thread could have run and another process had the core. */
  readonly waitedSeconds: number;
  /** Resident memory, the mapped Node binary included. */
  readonly residentBytes: number;
}

/** Linux counts in hundredths of a second for every program that reads it (USER_HZ). */
const TICKS = 100;
const NANOSECONDS = 1e9;

/** From /proc (proc_pid_stat(5), proc_pid_status(5)); undefined where there is none. */
export function usageOf(pid: number): Usage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const [, waited] = readFileSync(`/proc/${pid}/schedstat`, "latin1").split(" ");
    const resident = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
    // The command's name may contain anything; the fields after it are counted from its closing bracket.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS,
      waitedSeconds: Number(waited) / NANOSECONDS,
      residentBytes: Number(resident) * 1024,
    };
  } catch {
    return undefined;
  }
}
