/** Builds the images of the rig: `node test/cluster/images/ensure.ts` prints their names and archives. */
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../build.ts";
import { cacheFolder } from "../build-plan.ts";
import { BuildError } from "../go-build.ts";
import { withLock } from "../lock.ts";
import { RequirementError } from "../packages.ts";
import { ensureRequirements } from "../requirements.ts";
import { claimArchive, dropOlderArchives } from "./archives.ts";
import { Buildah } from "./buildah.ts";
import { ImageError } from "./command.ts";
import { builtName, type ImagePlan, planImage } from "./plan.ts";
import { dockerfileOf, fillContext, type ImageName, RECIPES } from "./recipes.ts";

/** An image for a cluster. */
export interface Image {
  /** What a pod's `image` says. */
  readonly reference: string;
  /** The OCI archive that holds it under that name. */
  readonly archive: string;
}

/** What pods run; the others are only built upon. */
export const POD_IMAGES = [
  "etcd",
  "injector",
  "patroni",
  "pause",
  "pgbouncer",
] as const satisfies readonly ImageName[];
export type PodImage = (typeof POD_IMAGES)[number];

/**
 * Archives of the images that pods run, building what is missing: minutes when nothing is cached. Several processes may ask at the
 * same time: one builds, the others wait. An archive in the cache is always whole, and stays at least until this process ends.
 *
 * @throws ImageError, BuildError or RequirementError that says what is missing
 */
export async function ensureImages(log: Log = toStderr): Promise<Record<PodImage, Image>> {
  const images: Partial<Record<PodImage, Image>> = {};
  for (const name of POD_IMAGES) images[name] = await ensureImage(name, log);
  return images as Record<PodImage, Image>;
}

export async function ensureImage(name: PodImage, log: Log = toStderr): Promise<Image> {
  const cache = cacheFolder();
  const plan = await planImage(name, cache);
  if (!(await claimArchive(plan.archive))) {
    const onWait = () => log("images: another process builds them, waiting");
    await withLock("patroni-injector-images", onWait, async () => {
      if (!(await claimArchive(plan.archive))) await writeArchive(plan, cache, log);
    });
  }
  return { reference: plan.reference, archive: plan.archive };
}

async function writeArchive(plan: ImagePlan, cache: string, log: Log): Promise<void> {
  await ensureRequirements(log);
  const started = performance.now();
  const buildah = new Buildah(cache);
  await build(plan, cache, buildah, log);
  const unfinished = `${plan.archive}.${process.pid}`;
  await buildah.write(plan.built, unfinished, plan.reference);
  await rename(unfinished, plan.archive);
  for (const key of await dropOlderArchives(join(cache, "images"), plan.name))
    await buildah.remove(builtName(plan.name, key));
  log(`image ${plan.name}: built in ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

/** Builds an image, and before it those that it is built upon. */
async function build(plan: ImagePlan, cache: string, buildah: Buildah, log: Log): Promise<void> {
  if (await buildah.has(plan.built)) return;
  const args: Record<string, string> = {};
  for (const [argument, base] of Object.entries(RECIPES[plan.name].bases)) {
    const basePlan = await planImage(base, cache);
    await build(basePlan, cache, buildah, log);
    args[argument] = basePlan.built;
  }
  log(`image ${plan.name}: building`);
  await mkdir(join(cache, "images"), { recursive: true });
  const context = await mkdtemp(join(cache, "images", ".context-"));
  try {
    await fillContext(plan.name, context, log);
    await buildah.build(plan.built, dockerfileOf(plan.name), context, args);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

function toStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main(): Promise<number> {
  try {
    const images = await ensureImages();
    for (const { reference, archive } of Object.values(images))
      process.stdout.write(`${reference} ${archive}\n`);
    return 0;
  } catch (error) {
    const isExpected = [ImageError, BuildError, RequirementError].some((kind) => error instanceof kind);
    if (!isExpected) throw error;
    toStderr((error as Error).message);
    return 1;
  }
}

if (import.meta.main) process.exitCode = await main();
