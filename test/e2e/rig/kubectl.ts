import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { Json, JsonObject } from "../../../src/json/value.ts";

/** How to run programs against the cluster. */
export interface Access {
  /** Path of kubectl. */
  readonly kubectl: string;
  readonly kubeconfig: string;
  /** What goes before each program: `nsenter …` where the cluster has a network of its own; else nothing. */
  readonly prefix: readonly string[];
}

const MAX_OUTPUT = 1 << 28;

/** kubectl, which alone knows how to sign in to the user's cluster: every call of the suite goes through it. */
export class Kubectl {
  readonly access: Access;

  constructor(access: Access) {
    this.access = access;
  }

  /**
   * Standard output of one call.
   *
   * @throws Error with standard error, where kubectl does not succeed
   */
  async run(args: readonly string[], options: RunOptions = {}): Promise<string> {
    return (await this.said(args, options)).stdout;
  }

  /** The same with standard error, where kubectl shows the warnings of the API server. */
  said(args: readonly string[], { input, timeoutMs = 120_000 }: RunOptions = {}): Promise<Said> {
    const [program, all] = this.#command(args);
    return new Promise((resolve, reject) => {
      const options = { maxBuffer: MAX_OUTPUT, timeout: timeoutMs };
      const child = execFile(program, all, options, (error, stdout, stderr) => {
        if (error === null) resolve({ stdout, stderr });
        else reject(new Error(`kubectl ${args.join(" ").slice(0, 300)}: ${stderr.trim() || error.message}`));
      });
      child.stdin?.on("error", () => {}); // it ended without reading: its exit code tells why
      child.stdin?.end(input ?? "");
    });
  }

  /** A call that goes on until it is killed. */
  start(args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
    const [program, all] = this.#command(args);
    return spawn(program, all, { stdio: ["ignore", "pipe", "pipe"] });
  }

  async json(args: readonly string[]): Promise<JsonObject> {
    return JSON.parse(await this.run([...args, "--output=json"])) as JsonObject;
  }

  async apply(objects: readonly JsonObject[], flags: readonly string[] = []): Promise<string> {
    const list = { apiVersion: "v1", kind: "List", items: [...objects] } satisfies Json;
    return this.run(["apply", "--filename=-", ...flags], { input: JSON.stringify(list) });
  }

  /** Runs a program in a container and gives its standard output. */
  exec(pod: PodRef, command: readonly string[], options: RunOptions = {}): Promise<string> {
    const container = pod.container === undefined ? [] : [`--container=${pod.container}`];
    const stdin = options.input === undefined ? [] : ["--stdin"];
    return this.run(
      ["exec", `--namespace=${pod.namespace}`, pod.name, ...container, ...stdin, "--", ...command],
      options,
    );
  }

  #command(args: readonly string[]): [program: string, args: string[]] {
    const { prefix, kubectl, kubeconfig } = this.access;
    const [program = kubectl, ...rest] = [...prefix, kubectl, `--kubeconfig=${kubeconfig}`, ...args];
    return [program, rest];
  }
}

export interface Said {
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
}

export interface PodRef {
  readonly namespace: string;
  readonly name: string;
  readonly container?: string;
}

/** Ends a call that {@link Kubectl.start} began, and waits until it is gone. */
export async function ended(child: ChildProcessByStdio<null, Readable, Readable>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  await exit;
}

/**
 * Asks again and again until there is an answer; undefined and rejections are none.
 *
 * @throws Error that names what was waited for, with the last rejection as its cause
 */
export async function until<T>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<T | undefined>,
  everyMs = 500,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      const seen = last instanceof Error ? `: ${last.message}` : "";
      throw new Error(`not within ${timeoutMs / 1000} s: ${what}${seen}`, { cause: last });
    }
    await delay(everyMs);
  }
}
