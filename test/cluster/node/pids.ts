import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PID_FOLDER } from "../processes.ts";

/** The pid that a program of the run was started with. It may have ended, and the pid be another's by now. */
export async function readPid(folder: string, program: string): Promise<number | undefined> {
  const text = await readFile(join(folder, PID_FOLDER, program), "utf8").catch(() => undefined);
  return text === undefined ? undefined : Number(text);
}
