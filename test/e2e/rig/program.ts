import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Target } from "./target.ts";

const MAIN = join(import.meta.dirname, "../../../src/main.ts");

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `patroni-injector <command> …` on the target's cluster, from the sources, as an operator runs it on a machine of theirs. */
export async function patroniInjector({ access }: Target, args: readonly string[]): Promise<Ran> {
  const { prefix, kubeconfig } = access;
  const argv = [...prefix, process.execPath, MAIN, ...args, "--kubeconfig", kubeconfig];
  const [program = process.execPath, ...rest] = argv;
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"], timeout: 180_000 });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { code: code as number | null, stdout, stderr };
}
