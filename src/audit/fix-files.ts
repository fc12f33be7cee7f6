import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import type { FixFile } from "./report/fixes.ts";

/**
 * Writes manifests into a folder, which is made where it is not there. Each file is written beside its place first, and they take their
 * places when all are whole: a full disk or an interruption leaves none, and none by half.
 *
 * @param folder what is in it already stays, but for files of the same names
 */
export async function writeFixFiles(
  folder: string,
  fixes: readonly FixFile[],
  signal: AbortSignal,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  // Neither kubectl nor this program takes a file of that ending for a manifest.
  const files = fixes.map((fix) => ({
    fix,
    beside: join(folder, `${fix.name}.part`),
    place: join(folder, fix.name),
  }));
  try {
    for (const { fix, beside } of files)
      await writeFile(beside, `# Mends: ${fix.codes.join(", ")}\n${stringify(fix.manifest)}`, { signal });
    signal.throwIfAborted();
    for (const { beside, place } of files) await rename(beside, place);
  } finally {
    await Promise.allSettled(files.map(({ beside }) => rm(beside, { force: true })));
  }
}
