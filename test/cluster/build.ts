/** Builds the binaries of the rig: `node test/cluster/build.ts kube-apiserver etcd kubectl` prints their paths. */
import { createHash } from "node:crypto";
import { access, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type BuildPlan, cacheFolder, planBuild } from "./build-plan.ts";
import { BuildError, goBuild } from "./go-build.ts";
import { withLock } from "./lock.ts";
import { BINARIES, type BinaryName, isBinaryName } from "./tools.ts";

export type Log = (line: string) => void;

/**
 * Paths of the named binaries, building what is missing. Several processes may ask at the same time: one
 * builds, the others wait. A path in the cache is always a whole binary.
 *
 * @throws BuildError that says what is missing
 */
export async function ensureBinaries<N extends BinaryName>(
  names: readonly N[],
  log: Log = toStderr,
): Promise<Record<N, string>> {
  const cache = cacheFolder();
  const paths: Partial<Record<N, string>> = {};
  for (const name of names) {
    const plan = await planBuild(name, cache);
    if (!(await exists(plan.binary))) await buildOnce(plan, log);
    paths[name] = plan.binary;
  }
  return paths as Record<N, string>;
}

async function buildOnce(plan: BuildPlan, log: Log): Promise<void> {
  const lock = `patroni-injector-build-${createHash("sha256").update(plan.binary).digest("hex").slice(0, 32)}`;
  const onWait = () => log(`${plan.name}: another process builds it, waiting`);
  await withLock(lock, onWait, async () => {
    if (await exists(plan.binary)) return;
    const folder = dirname(plan.binary);
    const unfinished = join(folder, `.${plan.name}.${process.pid}`);
    await mkdir(folder, { recursive: true });
    log(`${plan.name} ${plan.version}: building`);
    try {
      await goBuild(plan, unfinished, log);
      await rename(unfinished, plan.binary);
    } finally {
      await rm(unfinished, { force: true });
    }
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function toStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main(names: readonly string[]): Promise<number> {
  if (names.length === 0 || !names.every(isBinaryName)) {
    toStderr(`usage: node test/cluster/build.ts <binary>...\nbinaries: ${Object.keys(BINARIES).join(" ")}`);
    return 2;
  }
  try {
    const paths = await ensureBinaries(names);
    for (const name of names) process.stdout.write(`${paths[name]}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    toStderr(error.message);
    return 1;
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
