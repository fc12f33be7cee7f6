import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** Where Node keeps what it has compiled: whoever starts many processes names a folder (scripts/test.ts). */
const { NODE_COMPILE_CACHE } = process.env;
const COMPILED = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };

/** One line of a process's log, as pino writes it. */
export type LogLine = { readonly msg?: string } & Readonly<Record<string, unknown>>;

/** Whoever started these may be ended at any moment: nothing is left behind. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** `patroni-injector` as a process of its own. */
export class Program {
  readonly log: LogLine[] = [];
  readonly #child: ChildProcess;
  #stderr = "";

  /** @param main default: the sources */
  constructor(
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    main: string = MAIN,
  ) {
    this.#child = spawn(process.execPath, [main, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH ?? "", ...COMPILED, ...environment },
    });
    running.add(this.#child);
    this.#child.once("exit", () => running.delete(this.#child));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => this.#take(line));
    }
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Waits for a log line with this message; rejects where the process ends first, or in time it does not come. */
  async said(message: string, timeoutMs = 15_000): Promise<LogLine> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const line = this.log.find(({ msg }) => msg === message);
      if (line !== undefined) return line;
      if (!this.runs) {
        throw new Error(
          `the process ended before it said "${message}": ${this.#stderr.trim() || "no error was printed"}`,
        );
      }
      if (performance.now() > deadline)
        throw new Error(`the process did not say "${message}" in ${timeoutMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** True until the process has ended. */
  get runs(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** SIGSTOP and SIGCONT freeze and wake it; SIGKILL ends it without a word. */
  signal(name: "SIGSTOP" | "SIGCONT" | "SIGKILL"): void {
    this.#child.kill(name);
  }

  /** Ends the process: SIGTERM, and SIGKILL where that takes longer than the bound. */
  async stop(timeoutMs = 5000): Promise<void> {
    if (!this.runs) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), timeoutMs);
    await exited;
    clearTimeout(timer);
  }

  #take(line: string): void {
    try {
      this.log.push(JSON.parse(line) as LogLine);
    } catch {
      this.#stderr += `${line}\n`;
    }
  }
}
