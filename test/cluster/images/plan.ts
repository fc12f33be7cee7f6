import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { dockerfileOf, type ImageName, RECIPES, recipeFolder } from "./recipes.ts";

/** What an image is called, and where it is kept. Both change with everything that it is made from. */
export interface ImagePlan {
  readonly name: ImageName;
  /** With its tag: what a pod's `image` says. */
  readonly reference: string;
  /** Its name among the builder's own images, under which other Dockerfiles find it. */
  readonly built: string;
  /** The finished archive, as `ctr images import` reads it. */
  readonly archive: string;
}

/** {@link ImagePlan.built} of an image with this key. */
export const builtName = (name: ImageName, key: string): string =>
  `localhost/patroni-injector-test/${name}:${key}`;

export async function planImage(name: ImageName, cache: string): Promise<ImagePlan> {
  const { repository, tag } = RECIPES[name];
  const key = await keyOf(name);
  return {
    name,
    reference: `${repository}:${tag ?? key}`,
    built: builtName(name, key),
    archive: join(cache, "images", `${name}-${key}.oci.tar`),
  };
}

async function keyOf(name: ImageName): Promise<string> {
  const { bases, files, inputs } = RECIPES[name];
  const hash = createHash("sha256").update(
    JSON.stringify([await readFile(dockerfileOf(name), "utf8"), await inputs(), process.arch]),
  );
  for (const base of Object.values(bases)) hash.update(await keyOf(base));
  for (const file of files) {
    for (const path of await filesIn(join(recipeFolder(name), file))) {
      hash.update(JSON.stringify(path.slice(recipeFolder(name).length))).update(await readFile(path));
    }
  }
  return hash.digest("hex").slice(0, 12);
}

/** The file itself, or every file of the folder, in the same order at all times. */
async function filesIn(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
