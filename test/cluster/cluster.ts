import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import type { AuditLevel } from "./audit-log.ts";
import { ensureBinaries, type Log } from "./build.ts";
import type { BootOptions } from "./node/boot.ts";
import { createCgroups, openCgroups } from "./node/cgroups.ts";
import { createNamespaces, inNode, JOIN_CGROUP } from "./node/namespaces.ts";
import { FURTHER_BINARIES, PROGRAMS } from "./node/programs.ts";
import { ADMIN_KUBECONFIG, BINARIES_FOLDER, type ClusterState, identify, writeState } from "./node/state.ts";
import { tearDown } from "./node/tear-down.ts";
import { PID_FOLDER } from "./processes.ts";

export interface ClusterOptions {
  readonly name: string;
  /** Whether the cluster stays when this process ends. Otherwise the next to look takes down what this one left. */
  readonly detached: boolean;
  /** Keep an audit log. */
  readonly audit?: AuditLevel;
}

/** A running cluster of one node, in a network of its own that is reached by entering it. */
export interface Cluster {
  readonly name: string;
  readonly folder: string;
  readonly kubeconfig: string;
  /** Ends the processes and removes all that the cluster made. */
  stop(): Promise<void>;
}

/**
 * Builds what is missing and starts a cluster: its node is Ready and names are answered. Needs root.
 *
 * @throws BuildError where a binary cannot be built; Error with the end of the log of a program that does not start
 */
export async function startCluster(options: ClusterOptions, log: Log): Promise<Cluster> {
  const binaries = await ensureBinaries([...PROGRAMS, ...FURTHER_BINARIES], log);
  const owner = options.detached ? undefined : await identify(process.pid);
  const state: ClusterState = {
    name: options.name,
    cgroup: `patroni-injector-${options.name}`,
    ...(owner && { owner }),
  };
  const folder = await writeState(state);
  try {
    await mkdir(join(folder, PID_FOLDER));
    await mkdir(join(folder, BINARIES_FOLDER));
    for (const [name, path] of Object.entries(binaries)) {
      await symlink(path, join(folder, BINARIES_FOLDER, name));
    }
    const cgroups = await openCgroups(state.cgroup);
    await createCgroups(cgroups);
    await createNamespaces(folder, cgroups);
    const { audit } = options;
    await boot(folder, cgroups.programs, { cgroup: state.cgroup, ...(audit && { audit }) }, log);
  } catch (error) {
    await tearDown(state);
    throw error;
  }
  return {
    name: state.name,
    folder,
    kubeconfig: join(folder, ADMIN_KUBECONFIG),
    stop: () => tearDown(state),
  };
}

/** Runs boot.ts inside the node. What it starts inherits namespaces, control group and PATH. */
async function boot(folder: string, cgroup: string, options: BootOptions, log: Log): Promise<void> {
  const script = join(import.meta.dirname, "node", "boot.ts");
  const argv = inNode(folder, [process.execPath, script, folder, JSON.stringify(options)]);
  const child = spawn("/bin/sh", ["-c", JOIN_CGROUP, "join", cgroup, ...argv], {
    env: { ...process.env, PATH: `${join(folder, BINARIES_FOLDER)}:${process.env.PATH}:/usr/sbin:/sbin` },
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
  if (code !== 0)
    throw new Error(error || `the cluster's start ended: ${signal ?? code}\n${lines.join("\n")}`);
}
