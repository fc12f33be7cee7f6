import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PID_FOLDER, type ProcessSpec, type RunningProcess, startProcess } from "./processes.ts";

/** Where a program of the rig keeps its files, and how it is started. */
export interface Run {
  /** Absolute path of the run's own folder. */
  readonly folder: string;
  start(spec: ProcessSpec): Promise<RunningProcess>;
}

/** The processes and files of a run that belongs to this process: they come and go together. */
export interface OwnedRun extends Run {
  /** Stops the processes, the last started first, and removes the folder once all are gone. May be called again. */
  end(): Promise<void>;
}

/**
 * Waits for the end of its standard input, which comes when the owner of the run is gone, however it went;
 * then ends what the owner left behind. `$1` is the run's folder, `$2` its folder of pid files.
 */
const GUARD = `
cat >/dev/null
for file in "$2"/*; do
  [ -e "$file" ] && kill -KILL "$(cat "$file")" 2>/dev/null
done
tries=0
until rm -rf "$1" 2>/dev/null || [ $tries -eq 50 ]; do sleep 0.1; tries=$((tries + 1)); done
`;

/**
 * Begins a run. Should this process die before {@link OwnedRun.end}, a guard process kills the run's processes and
 * removes its folder: a crash, a signal, even SIGKILL leave nothing behind.
 */
export async function beginRun(prefix: string): Promise<OwnedRun> {
  const folder = await mkdtemp(join(tmpdir(), prefix));
  const pidFolder = join(folder, PID_FOLDER);
  await mkdir(pidFolder);
  const processes: RunningProcess[] = [];

  // In a session of its own: Ctrl-C in the terminal ends the owner only, and the guard does the rest.
  const guard = spawn("/bin/sh", ["-c", GUARD, "guard", folder, pidFolder], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  guard.unref();

  return {
    folder,
    async start(spec) {
      const started = await startProcess(folder, spec);
      processes.push(started);
      return started;
    },
    async end() {
      while (processes.length > 0) await processes.pop()?.stop();
      await rm(folder, { recursive: true, force: true });
      guard.stdin.destroy();
    },
  };
}

/** Writes a file for a program of the run, and gives its path. An object goes as JSON, which is YAML. */
export async function runFile(run: Run, name: string, content: string | object): Promise<string> {
  const path = join(run.folder, name);
  const text = typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`;
  await writeFile(path, text, { mode: 0o600 });
  return path;
}
