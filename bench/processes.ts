import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { onCore } from "./cores.ts";

export interface ProcessOptions {
  /** Default: wherever the system puts it. */
  readonly cpu: number | undefined;
  readonly stdio: StdioOptions;
  /** Ends the process when aborted. */
  readonly signal: AbortSignal;
}

/** A child process, ended by `stop` or by the signal, whichever comes first. */
export interface Child {
  readonly pid: number;
  readonly process: ChildProcess;
  /** Resolves, never rejects, with how the process ended. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

const PATIENCE_MS = 5_000;

export function startProcess(command: readonly string[], options: ProcessOptions): Child {
  const [file = "", ...args] = onCore(options.cpu, command);
  const child = spawn(file, args, { stdio: options.stdio });
  const ended = endOf(child);
  const terminate = () => void child.kill("SIGTERM");
  options.signal.addEventListener("abort", terminate, { once: true });
  void ended.then(() => options.signal.removeEventListener("abort", terminate));
  return {
    pid: child.pid ?? 0,
    process: child,
    ended,
    async stop() {
      terminate();
      const impatience = setTimeout(() => void child.kill("SIGKILL"), PATIENCE_MS);
      await ended;
      clearTimeout(impatience);
    },
  };
}

/** The first of the two: what was waited for, or the process's end as an error. */
export async function orItsEnd<Value>(child: Child, name: string, awaited: Promise<Value>): Promise<Value> {
  const ended = child.ended.then((how) => Promise.reject(new Error(`${name} ended too early: ${how}`)));
  return await Promise.race([awaited, ended]);
}

async function endOf(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = await once(child, "exit");
    return signal === null ? `exit code ${code}` : `${signal}`;
  } catch (error) {
    return (error as Error).message;
  }
}
