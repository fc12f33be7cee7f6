import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Target } from "./target.ts";

const MAIN = join(import.meta.dirname, "../../../src/main.ts");

export interface Cleaned {
  /** 0: nothing is left to do; 1: there is. */
  readonly code: number | null;
  readonly said: string;
}

/** `patroni-injector cleanup`, as the how-to on leaving has it, from the sources. */
export async function cleanup({ access }: Target, args: readonly string[]): Promise<Cleaned> {
  const { prefix, kubeconfig } = access;
  const argv = [...prefix, process.execPath, MAIN, "cleanup", ...args, "--kubeconfig", kubeconfig];
  const [program = process.execPath, ...rest] = argv;
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"], timeout: 180_000 });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { code: code as number | null, said: `${stdout}${stderr}` };
}
