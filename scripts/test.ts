/**
 * `npm test`: two runs at once. Tests that only compute share one process, for starting one for each file would take longer than the
 * tests. Tests that wait for servers and processes share one with a few files of their folder, and several processes run at a time.
 * The output of the second run follows the first's.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeGroups } from "./test-groups.ts";

/** What takes longer hangs. Milliseconds. */
const TEST_LIMIT_MS = 60_000;
const FILE_LIMIT_MS = 120_000;

const temporary = await mkdtemp(join(tmpdir(), "patroni-injector-test-"));

const groups = await writeGroups({
  patterns: ["test/component/**/*.test.ts", "test/contract/embedded/**/*.test.ts"],
  directory: temporary,
  limitMs: FILE_LIMIT_MS,
});

const RUNS = [
  ["--test-isolation=none", `--test-timeout=${TEST_LIMIT_MS}`, "test/{unit,properties,model}/**/*.test.ts"],
  ["--test-concurrency=9", `--test-timeout=${groups.limitMs}`, ...groups.entries],
];

const runs = RUNS.map((options, index) => {
  const child = spawn(process.execPath, ["--test", "--test-reporter=spec", ...options], {
    stdio: ["ignore", index === 0 ? "inherit" : "pipe", "inherit"],
    // Many processes load the same files: types are taken out of each once.
    env: { ...process.env, NODE_COMPILE_CACHE: join(temporary, "compiled") },
  });
  const chunks: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
  return { ended: once(child, "close") as Promise<[code: number | null]>, chunks };
});

for (const { ended, chunks } of runs) {
  const [code] = await ended;
  process.stdout.write(Buffer.concat(chunks));
  if (code !== 0) process.exitCode = 1;
}
await rm(temporary, { recursive: true, force: true });
