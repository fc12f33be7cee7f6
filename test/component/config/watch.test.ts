import assert from "node:assert/strict";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Problem } from "../../../src/config/problems.ts";
import type { Config } from "../../../src/config/schema.ts";
import { type ConfigWatch, watchConfig } from "../../../src/config/watch.ts";

type Report = { readonly config: Config } | { readonly problems: readonly Problem[] };

/** The reports of a watch, taken one by one; waits for the next, but not for ever. */
function reports() {
  const queue: Report[] = [];
  let wake = () => {};
  return {
    push(report: Report) {
      queue.push(report);
      wake();
    },
    async next(): Promise<Report> {
      if (queue.length === 0) {
        const report = new Promise<void>((resolve) => {
          wake = resolve;
        });
        await Promise.race([report, delay(5000, undefined, { ref: false })]);
      }
      const [report] = queue.splice(0, 1);
      assert.ok(report, "no report within 5 s");
      return report;
    },
    get waiting() {
      return queue.length;
    },
  };
}

describe("watching the configuration file", () => {
  let directory: string;
  let path: string;
  let watch: ConfigWatch | undefined;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "config-watch-"));
    path = join(directory, "config.yaml");
  });

  afterEach(async () => {
    watch?.stop();
    await rm(directory, { recursive: true });
  });

  function start(text: string, pollMs = 60_000, settleMs = 50) {
    const seen = reports();
    watch = watchConfig(text, {
      path,
      defaults: { clusterDomain: "cluster.local" },
      onConfig: (config) => seen.push({ config }),
      onProblems: (problems) => seen.push({ problems }),
      pollMs,
      settleMs,
    });
    return seen;
  }

  async function nextConfig(seen: ReturnType<typeof reports>): Promise<Config> {
    const report = await seen.next();
    assert.ok("config" in report, JSON.stringify(report));
    return report.config;
  }

  async function nextProblems(seen: ReturnType<typeof reports>): Promise<readonly Problem[]> {
    const report = await seen.next();
    assert.ok("problems" in report, "a good configuration was reported");
    return report.problems;
  }

  it("reports a file that was written anew", async () => {
    await writeFile(path, "drainSeconds: 1");
    const seen = start("drainSeconds: 1");
    await writeFile(path, "drainSeconds: 2");
    assert.equal((await nextConfig(seen)).drainSeconds, 2);
  });

  it("reports a mounted ConfigMap whose ..data link was swapped", async () => {
    const version = async (name: string, text: string): Promise<void> => {
      await mkdir(join(directory, name));
      await writeFile(join(directory, name, "config.yaml"), text);
      await symlink(name, join(directory, "..data_tmp"));
      await rename(join(directory, "..data_tmp"), join(directory, "..data"));
    };
    await version("..1", "drainSeconds: 1");
    await symlink(join("..data", "config.yaml"), path);
    const seen = start("drainSeconds: 1");
    await version("..2", "drainSeconds: 2");
    assert.equal((await nextConfig(seen)).drainSeconds, 2);
    await version("..3", "drainSeconds: 3");
    assert.equal((await nextConfig(seen)).drainSeconds, 3);
  });

  it("reports every problem of a bad file once, and the good one after it", async () => {
    await writeFile(path, "");
    const seen = start("", 20);
    await writeFile(path, "drainSeconds: x\nlogLevel: loud\n");
    assert.deepEqual(await nextProblems(seen), [
      `${path}:1:1: drainSeconds: expected an integer from 0 to 300, got "x"`,
      `${path}:2:1: logLevel: expected debug or info or warn or error, got "loud"`,
    ]);
    await delay(100);
    assert.equal(seen.waiting, 0);
    await writeFile(path, "");
    assert.equal((await nextConfig(seen)).drainSeconds, 10);
  });

  it("reports a file that went away, and its return even where nothing else changed", async () => {
    await writeFile(path, "drainSeconds: 1");
    const seen = start("drainSeconds: 1");
    await rm(path);
    assert.match((await nextProblems(seen)).join(), /config\.yaml: cannot be read: ENOENT/);
    await writeFile(path, "drainSeconds: 1");
    assert.equal((await nextConfig(seen)).drainSeconds, 1);
  });

  it("notices by the poll what no event told", async () => {
    await mkdir(join(directory, "elsewhere"));
    const target = join(directory, "elsewhere", "config.yaml");
    await writeFile(target, "drainSeconds: 1");
    await symlink(target, path);
    const seen = start("drainSeconds: 1", 20);
    await writeFile(target, "drainSeconds: 2");
    assert.equal((await nextConfig(seen)).drainSeconds, 2);
  });

  it("reports what changed between the first reading and the start of the watch", async () => {
    await writeFile(path, "drainSeconds: 2");
    assert.equal((await nextConfig(start("drainSeconds: 1"))).drainSeconds, 2);
  });

  it("does not take a file that is being written for an empty one", async () => {
    await writeFile(path, "drainSeconds: 1");
    const seen = start("drainSeconds: 1", 20, 1000);
    await writeFile(path, "");
    await delay(100);
    await writeFile(path, "drainSeconds: 2");
    assert.equal((await nextConfig(seen)).drainSeconds, 2);
  });

  it("says nothing after it was stopped, or where the content is the same", async () => {
    await writeFile(path, "drainSeconds: 1");
    const seen = start("drainSeconds: 1", 10);
    await writeFile(path, "drainSeconds: 1");
    await delay(200);
    watch?.stop();
    await writeFile(path, "drainSeconds: 2");
    await delay(200);
    assert.equal(seen.waiting, 0);
  });
});
