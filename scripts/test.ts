/**
 * `npm test`: two runs at once. Tests that only compute share one process, for starting one for each file would take longer than the
 * tests; tests that wait for servers and processes have one each, several at a time. The output of the second run follows the first's.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Many processes load the same files: types are taken out of each once. */
const cache = await mkdtemp(join(tmpdir(), "patroni-injector-compiled-"));

const LIMIT = "--test-timeout=60000";

const RUNS = [
  ["--test-isolation=none", LIMIT, "test/{unit,properties,model}/**/*.test.ts"],
  ["--test-concurrency=9", LIMIT, "test/component/**/*.test.ts", "test/contract/embedded/**/*.test.ts"],
] as const;

const runs = RUNS.map((options, index) => {
  const child = spawn(process.execPath, ["--test", "--test-reporter=spec", ...options], {
    stdio: ["ignore", index === 0 ? "inherit" : "pipe", "inherit"],
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
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
await rm(cache, { recursive: true, force: true });
