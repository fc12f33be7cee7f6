import { openCgroups, processesIn } from "./cgroups.ts";
import { readPid } from "./pids.ts";
import { PROGRAMS, type Program } from "./programs.ts";
import { clusterFolder, readState } from "./state.ts";

export interface ProgramStatus {
  readonly name: Program;
  readonly isRunning: boolean;
}

/** Which programs of a cluster run; undefined where there is no cluster of that name. */
export async function readStatus(name: string): Promise<readonly ProgramStatus[] | undefined> {
  const state = await readState(name);
  if (state === undefined) return undefined;
  const running = new Set(await processesIn((await openCgroups(state.cgroup)).programs));
  const status = async (program: Program) => {
    const pid = await readPid(clusterFolder(name), program);
    return { name: program, isRunning: pid !== undefined && running.has(pid) };
  };
  return Promise.all(PROGRAMS.map(status));
}
