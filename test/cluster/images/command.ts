import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants, setPriority } from "node:os";
import { createInterface } from "node:readline";

/** Why an image could not be made, and what to do about it. */
export class ImageError extends Error {
  override readonly name = "ImageError";
}

export interface CommandOptions {
  readonly cwd?: string;
  /** What to tell who does not have the program. */
  readonly missing?: string;
}

const LINES_KEPT = 40;

/**
 * Runs a program to its end, at low priority.
 *
 * @throws ImageError with the end of its output, or with what is missing
 */
export async function command(
  program: string,
  args: readonly string[],
  { cwd, missing }: CommandOptions = {},
): Promise<void> {
  const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on("line", (line) => {
      lines.push(line);
      if (lines.length > LINES_KEPT) lines.shift();
    });
  }
  try {
    const [code, signal] = await exited;
    if (code === 0) return;
    throw new ImageError(`${program} failed (${signal ?? `exit code ${code}`})\n${lines.join("\n")}`);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    throw new ImageError(`\`${program}\` is not in PATH: ${missing ?? "install it"}.`, { cause });
  }
}
