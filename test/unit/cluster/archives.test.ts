import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { claimArchive, dropOlderArchives } from "../../cluster/images/archives.ts";

const [OLDEST, OLD, NEWER, NEWEST] = ["000000000001", "000000000002", "000000000003", "000000000004"];

/** A folder with archives that were used in the order given, long ago. */
async function folderWith(t: TestContext, names: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "archives-"));
  t.after(() => rm(folder, { recursive: true }));
  for (const [index, name] of names.entries()) {
    await writeFile(join(folder, name), "");
    await utimes(join(folder, name), index + 1, index + 1);
  }
  return folder;
}

/** A living process that has claimed an archive. @returns ends it */
async function claimByAnother(t: TestContext, path: string): Promise<() => Promise<unknown>> {
  const child = spawn("sleep", ["60"]);
  const exit = once(child, "exit");
  t.after(() => child.kill());
  assert.equal(await claimArchive(path, child.pid), true);
  return () => {
    child.kill();
    return exit;
  };
}

const archive = (image: string, key: string | undefined) => `${image}-${key}.oci.tar`;
const archivesIn = async (folder: string) =>
  (await readdir(folder)).filter((name) => name.endsWith(".tar")).sort();

test("the two archives of an image that were used last stay, and those of other images", async (t) => {
  const ours = [OLDEST, OLD, NEWER, NEWEST].map((key) => archive("node", key));
  const others = [archive("node-beside", OLDEST), "node-notes.tar", `node-${OLDEST}.oci.tar.17.tar`];
  const folder = await folderWith(t, [...ours, ...others]);
  assert.deepEqual((await dropOlderArchives(folder, "node")).sort(), [OLDEST, OLD]);
  assert.deepEqual(await archivesIn(folder), [...others, ...ours.slice(2)].sort());
});

test("an archive that is used again is not an older one", async (t) => {
  const folder = await folderWith(
    t,
    [OLDEST, OLD, NEWER, NEWEST].map((key) => archive("x", key)),
  );
  const end = await claimByAnother(t, join(folder, archive("x", OLDEST)));
  await end();
  assert.deepEqual((await dropOlderArchives(folder, "x")).sort(), [OLD, NEWER]);
});

test("what a living process has claimed stays until that process ends", async (t) => {
  const names = [OLDEST, OLD, NEWER, NEWEST].map((key) => archive("x", key));
  const folder = await folderWith(t, names);
  const claimed = join(folder, archive("x", OLDEST));
  const end = await claimByAnother(t, claimed);
  await utimes(claimed, 1, 1);
  assert.deepEqual(await dropOlderArchives(folder, "x"), [OLD]);
  await end();
  assert.deepEqual(await dropOlderArchives(folder, "x"), [OLDEST]);
  assert.deepEqual(await readdir(join(folder, "in-use")), []);
});

test("an archive that is built only after it was claimed stays, too", async (t) => {
  const folder = await folderWith(t, [archive("x", NEWER), archive("x", NEWEST)]);
  const late = join(folder, archive("x", OLD));
  assert.equal(await claimArchive(late), false);
  await writeFile(late, "");
  await utimes(late, 0, 0);
  assert.deepEqual(await dropOlderArchives(folder, "x"), []);
});

test("the claim of a process that is gone does not count for a later one with its pid", async (t) => {
  const names = [OLD, NEWER, NEWEST].map((key) => archive("x", key));
  const folder = await folderWith(t, names);
  await mkdir(join(folder, "in-use"));
  await writeFile(join(folder, "in-use", `${archive("x", OLD)},${process.pid},1`), "");
  assert.deepEqual(await dropOlderArchives(folder, "x"), [OLD]);
});
