/**
 * Writes docs/reference, and the configuration's part of the chart's schema, from the tables in the sources. With `--check` it writes nothing, and ends with 1 where a file is
 * not as it would be written.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { referenceFiles } from "./reference/files.ts";

const ROOT = join(import.meta.dirname, "..");
const DIRECTORY = join(ROOT, "docs/reference");
const check = process.argv.includes("--check");

await mkdir(DIRECTORY, { recursive: true });
for (const [name, content] of Object.entries(referenceFiles())) {
  const path = join(DIRECTORY, name);
  const before = await readFile(path, "utf8").catch(() => undefined);
  if (before === content) continue;
  if (check) {
    process.stderr.write(`${relative(ROOT, path)} is stale: run \`npm run reference\`\n`);
    process.exitCode = 1;
  } else {
    await writeFile(path, content);
    process.stdout.write(`wrote ${relative(ROOT, path)}\n`);
  }
}
