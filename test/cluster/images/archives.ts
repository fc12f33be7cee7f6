import { mkdir, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { withLock } from "../lock.ts";
import { identify } from "../node/state.ts";

/** So many archives of one image stay, the one at hand among them: a change that is taken back needs no build. */
export const KEPT = 2;

/** In the archives' folder: a file `<archive>,<pid>,<start of the process>` for each use. */
const CLAIMS = "in-use";

/** `<image>-<key>.oci.tar`. */
const NAME = /^(.+)-([0-9a-f]{12})\.oci\.tar$/;

/**
 * Says that a process needs an archive until it ends: it is not dropped meanwhile, nor is one that is built only now.
 *
 * @returns whether the archive is there
 */
export async function claimArchive(archive: string, pid = process.pid): Promise<boolean> {
  const owner = await identify(pid);
  const claims = join(dirname(archive), CLAIMS);
  return exclusively(async () => {
    await mkdir(claims, { recursive: true });
    await writeFile(join(claims, `${basename(archive)},${pid},${owner?.startedAt}`), "");
    const now = new Date();
    return utimes(archive, now, now).then(
      () => true,
      () => false,
    );
  });
}

/**
 * Removes the archives of one image but for the {@link KEPT} that were used last and those that a living process has claimed.
 *
 * @returns the keys of those that are gone
 */
export async function dropOlderArchives(folder: string, image: string): Promise<string[]> {
  return exclusively(async () => {
    const claimed = await claimedIn(join(folder, CLAIMS));
    const dropped: string[] = [];
    for (const { file, key } of (await archivesOf(folder, image)).slice(KEPT)) {
      if (claimed.has(file)) continue;
      await rm(join(folder, file), { force: true });
      dropped.push(key);
    }
    return dropped;
  });
}

/** The last used first. */
async function archivesOf(folder: string, image: string): Promise<{ file: string; key: string }[]> {
  const found: { file: string; key: string; usedMs: number }[] = [];
  for (const file of await readdir(folder)) {
    const [, name, key] = NAME.exec(file) ?? [];
    if (name !== image || key === undefined) continue;
    found.push({ file, key, usedMs: (await stat(join(folder, file))).mtimeMs });
  }
  return found.sort((one, other) => other.usedMs - one.usedMs);
}

/** Archives that living processes have claimed. The claims of others go. */
async function claimedIn(claims: string): Promise<ReadonlySet<string>> {
  const claimed = new Set<string>();
  for (const claim of await readdir(claims).catch(() => [])) {
    const [file = "", pid, startedAt] = claim.split(",");
    if ((await identify(Number(pid)))?.startedAt === startedAt) claimed.add(file);
    else await rm(join(claims, claim), { force: true });
  }
  return claimed;
}

/** Between the look at an archive and its removal nobody may claim it. Short: builds have a lock of their own. */
const exclusively = <T>(work: () => Promise<T>): Promise<T> =>
  withLock("patroni-injector-archives", () => undefined, work);
