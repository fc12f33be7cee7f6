import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import type { Log } from "../build.ts";
import { SYSTEM_PATH } from "../packages.ts";
import type { BootOptions } from "./boot.ts";
import type { Cgroups } from "./cgroups.ts";
import { inNode, JOIN_CGROUP } from "./namespaces.ts";
import { BINARIES_FOLDER } from "./state.ts";

/**
 * Runs boot.ts inside the node, to its end. What it starts inherits the namespaces, the control group, and a PATH in
 * which containerd finds its shim and runc.
 *
 * @throws Error with what boot.ts says
 */
export async function startBoot(
  folder: string,
  cgroups: Cgroups,
  options: BootOptions,
  log: Log,
): Promise<void> {
  const script = join(import.meta.dirname, "boot.ts");
  const argv = inNode(folder, [process.execPath, script, folder, JSON.stringify(options)]);
  const child = spawn("/bin/sh", ["-c", JOIN_CGROUP, "join", cgroups.programs, ...argv], {
    env: { ...process.env, PATH: `${join(folder, BINARIES_FOLDER)}:${SYSTEM_PATH}` },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = once(child, "close") as Promise<[code: number | null, signal: string | null]>;
  const lines: string[] = [];
  createInterface(child.stderr).on("line", (line) => {
    lines.push(line);
    log(line);
  });
  const error = await text(child.stdout);
  const [code, signal] = await closed;
  if (code === 0) return;
  throw new Error(error || `the start of the cluster ended: ${signal ?? code}\n${lines.join("\n")}`);
}
