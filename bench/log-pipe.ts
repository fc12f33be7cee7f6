import { execFileSync } from "node:child_process";
import { type FileHandle, open, readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import { startProcess } from "./processes.ts";

/**
 * A pipe for a server's output with a reader at its other end, as a container's has: every line is paid for by who
 * writes it, and read by a process that is not the client's.
 */
export interface LogPipe {
  /** The end to write to: for the server's standard output; to be closed here once the server has it. */
  readonly writer: FileHandle;
  /** What has been read since the last `clear`. */
  text(): Promise<string>;
  clear(): Promise<void>;
}

/** The reader ends with the last writer. */
export async function openLogPipe(folder: string, signal: AbortSignal): Promise<LogPipe> {
  const pipe = join(folder, "log.pipe");
  const file = join(folder, "server.log");
  execFileSync("mkfifo", ["-m", "600", pipe]);
  const log = await open(file, "a");
  startProcess(["cat", pipe], { cpu: undefined, signal, stdio: ["ignore", log.fd, "inherit"] });
  await log.close();
  return {
    writer: await open(pipe, "w"),
    text: () => readFile(file, "utf8"),
    clear: () => truncate(file),
  };
}
