/** `npm run cluster -- …`: a cluster to play with, which stays until it is taken down. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describeCluster, startCluster, takeDownOrphans } from "./cluster.ts";
import { BuildError } from "./go-build.ts";
import { ImageError } from "./images/command.ts";
import { ensureImages } from "./images/ensure.ts";
import { readState } from "./node/state.ts";
import { readStatus } from "./node/status.ts";
import { tearDown } from "./node/tear-down.ts";
import { RequirementError, SYSTEM_PATH } from "./packages.ts";

const NAME = "play";

const USAGE = `usage: npm run cluster -- <command>
  up                 start a cluster, or give a running one the images of the sources as they are now
  status             what runs
  kubectl <args>…    run kubectl against it
  shell              a shell inside its network, with kubectl and helm
  down               end it and remove all that it made
`;

const NEXT = `
npm run cluster -- kubectl get nodes
npm run cluster -- shell        kubectl, helm, curl to Services and pods: all from inside its network
npm run cluster -- down
`;

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  up,
  down,
  status,
  kubectl: (args) => inside(["kubectl", ...args]),
  shell: () => inside([process.env.SHELL || "/bin/sh"]),
};

async function up(): Promise<number> {
  const began = performance.now();
  if (!(await isUp())) {
    await down();
    await startCluster({ name: NAME, detached: true }, say);
  }
  const { folder, loadImage } = describeCluster(NAME);
  for (const { reference, archive } of Object.values(await ensureImages(say))) {
    await loadImage(archive);
    say(`loaded ${reference}`);
  }
  say(`up after ${((performance.now() - began) / 1000).toFixed(0)} s; its files and logs are in ${folder}`);
  process.stderr.write(NEXT);
  return 0;
}

async function down(): Promise<number> {
  const state = await readState(NAME);
  if (state !== undefined) await tearDown(state);
  await takeDownOrphans();
  return 0;
}

async function status(): Promise<number> {
  for (const { name, isRunning } of (await readStatus(NAME)) ?? [])
    say(`${name}: ${isRunning ? "runs" : "ENDED"}`);
  return inside(["kubectl", "get", "nodes,pods", "--all-namespaces", "--output=wide"]);
}

/** Runs a program inside the network of the cluster, with its binaries first in PATH. */
async function inside(argv: readonly string[]): Promise<number> {
  if (!(await isUp())) {
    say("no cluster is up: `npm run cluster -- up` starts one");
    return 1;
  }
  const { enter, binaries, kubeconfig } = describeCluster(NAME);
  const [program = "", ...args] = [...enter, ...argv];
  const env = { ...process.env, PATH: `${binaries}:${SYSTEM_PATH}`, KUBECONFIG: kubeconfig };
  const [code] = await once(spawn(program, args, { stdio: "inherit", env }), "close");
  return (code as number | null) ?? 1;
}

async function isUp(): Promise<boolean> {
  const programs = await readStatus(NAME);
  return programs?.every(({ isRunning }) => isRunning) ?? false;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main([name = "", ...args]: readonly string[]): Promise<number> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  try {
    return await command(args);
  } catch (error) {
    const isExpected = [RequirementError, BuildError, ImageError].some((kind) => error instanceof kind);
    if (!isExpected) throw error;
    say((error as Error).message);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
