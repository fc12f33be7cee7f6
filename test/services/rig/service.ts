import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** A program that runs beside the tests; killed when this process ends. */
export class Service {
  readonly #child: ChildProcess;
  readonly #logFile: string;

  constructor(
    command: string,
    args: readonly string[],
    { user, home, logFile }: { user: { uid: number; gid: number }; home: string; logFile: string },
  ) {
    this.#logFile = logFile;
    this.#child = spawn(command, args, {
      cwd: home,
      ...user,
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH, HOME: home, LC_ALL: "C.UTF-8" },
    });
    const log = createWriteStream(logFile, { flags: "a" });
    this.#child.stdout?.pipe(log, { end: false });
    this.#child.stderr?.pipe(log, { end: false });
    process.once("exit", this.#killed);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  get log(): string {
    return readFileSync(this.#logFile, "utf8");
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    process.off("exit", this.#killed);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGCONT");
    this.#child.kill(signal);
    const impatience = setTimeout(() => this.#child.kill("SIGKILL"), 15_000);
    await ended;
    clearTimeout(impatience);
  }

  readonly #killed = (): void => void this.#child.kill("SIGKILL");
}

/** Waits until a condition holds; a rejection counts as not yet. */
export async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  withinMs: number,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      if (await holds()) return;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`not in ${withinMs} ms: ${what}`, { cause: last });
    await delay(50);
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
