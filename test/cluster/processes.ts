import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

export interface ProcessSpec {
  /** Names the log file and the pid file. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** How long it may take from SIGTERM to its end, before SIGKILL. */
  readonly stopWithinMs: number;
}

export interface RunningProcess {
  readonly name: string;
  /** Undefined where it could not be started. */
  readonly pid: number | undefined;
  readonly logFile: string;
  /** Resolves, never rejects, with how the process ended. */
  readonly exited: Promise<string>;
  /** The last lines of the log. */
  logTail(): Promise<string>;
  /** SIGTERM, then SIGKILL; resolves once the process is gone. */
  stop(): Promise<void>;
}

/** Folder with a file for each living process, which holds its pid. */
export const PID_FOLDER = "pids";

const POLL_MS = 50;
const TAIL_LINES = 25;

/**
 * Starts a process in a folder that has a {@link PID_FOLDER}, with an empty environment but for PATH.
 * It does not keep this process alive.
 */
export async function startProcess(folder: string, spec: ProcessSpec): Promise<RunningProcess> {
  const logFile = join(folder, `${spec.name}.log`);
  const pidFile = join(folder, PID_FOLDER, spec.name);
  const log = await open(logFile, "a");
  const child = spawn(spec.command, spec.args, {
    cwd: folder,
    env: { PATH: process.env.PATH },
    stdio: ["ignore", log.fd, log.fd],
    detached: true, // a signal to the terminal's group must not end it before its clients
  });
  child.unref();
  // In the same turn as spawn: at no time does the guard miss a process.
  if (child.pid !== undefined) writeFileSync(pidFile, `${child.pid}\n`);
  const exited = ended(child).finally(() => rmSync(pidFile, { force: true }));
  await log.close();

  return {
    name: spec.name,
    pid: child.pid,
    logFile,
    exited,
    async logTail() {
      return (await readFile(logFile, "utf8")).trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
    },
    async stop() {
      child.ref(); // now there is something to wait for
      child.kill("SIGTERM");
      if (await within(spec.stopWithinMs, exited)) return;
      child.kill("SIGKILL");
      await exited;
    },
  };
}

async function ended(child: ReturnType<typeof spawn>): Promise<string> {
  try {
    const [code, signal] = await once(child, "exit");
    return signal === null ? `exit code ${code}` : `${signal}`;
  } catch (error) {
    return (error as Error).message;
  }
}

async function within(ms: number, event: Promise<unknown>): Promise<boolean> {
  const cancel = new AbortController();
  const bound = delay(ms, false, { signal: cancel.signal }).catch(() => false);
  const first = await Promise.race([event.then(() => true), bound]);
  cancel.abort();
  return first;
}

/**
 * Polls until `isReady` holds. A rejection counts as not ready.
 *
 * @throws Error with the end of the log, where the process ends first or `timeoutMs` pass
 */
export async function untilReady(
  child: RunningProcess,
  isReady: () => Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  let end: string | undefined;
  void child.exited.then((how) => {
    end = how;
  });
  const deadline = performance.now() + timeoutMs;
  while (!(await isReady().catch(() => false))) {
    if (end !== undefined) throw new Error(`${child.name} ended: ${end}\n${await child.logTail()}`);
    if (performance.now() > deadline) {
      throw new Error(`${child.name} not ready after ${timeoutMs} ms\n${await child.logTail()}`);
    }
    await delay(POLL_MS);
  }
}
