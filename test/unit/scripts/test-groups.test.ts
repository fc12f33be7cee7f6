import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { groupFiles, writeGroups } from "../../../scripts/test-groups.ts";

describe("files in groups", () => {
  const numbered = (folder: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${folder}/${index + 10}.test.ts`);

  test("each is in one, whatever their number and order", () => {
    for (const count of [0, 1, 4, 5, 11, 40]) {
      const files = numbered("a", count);
      assert.deepEqual(groupFiles(files.toReversed()).flat().sort(), files);
    }
  });

  test("none is large, and none is of two folders", () => {
    const groups = groupFiles([...numbered("a", 9), ...numbered("a/b", 2), ...numbered("c", 1)]);
    assert.deepEqual(
      groups.map(({ length }) => length),
      [3, 3, 3, 2, 1],
    );
  });
});

describe("a group of files that run in one process", () => {
  const FILES = {
    "a.test.mjs": `import { beforeEach, test } from "node:test";
      beforeEach(() => console.log("hook of a"));
      test("first", async () => { await 1; console.log("first of a"); });
      test("second", () => { throw new Error("broken on purpose"); });`,
    "b.test.mjs": `throw new Error("cannot be loaded");`,
    "c.test.mjs": `import { test } from "node:test";
      await new Promise((resolve) => setImmediate(resolve));
      test("third", () => console.log("third of c"));`,
  };

  test("fails by the file that failed, runs the others, and keeps each one's hooks to itself", async (t) => {
    const directory = await mkdtemp(join(tmpdir(), "test-groups-"));
    t.after(() => rm(directory, { recursive: true }));
    for (const [name, text] of Object.entries(FILES)) await writeFile(join(directory, name), text);
    const { entries } = await writeGroups({
      patterns: [join(directory, "*.test.mjs")],
      directory,
      limitMs: 30_000,
    });
    assert.equal(entries.length, 1);
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { status, stdout } = spawnSync(process.execPath, ["--test-reporter=tap", ...entries], {
      env,
      encoding: "utf8",
    });
    assert.equal(status, 1, stdout);
    assert.equal(stdout.match(/hook of a/g)?.length, 2, stdout);
    assert.match(stdout, /first of a/);
    assert.match(stdout, /third of c/);
    assert.match(stdout, /^not ok 1 - .*a\.test\.mjs$/m);
    assert.match(stdout, /^not ok 2 - .*b\.test\.mjs$/m);
    assert.match(stdout, /cannot be loaded/);
    assert.match(stdout, /^ok 3 - .*c\.test\.mjs$/m);
    assert.match(stdout, /^ {4}not ok 2 - second$/m);
  });
});
