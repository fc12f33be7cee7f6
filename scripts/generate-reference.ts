/**
 * Writes docs/reference from the tables in the sources. With `--check` it writes nothing, and ends with 1 where a file is
 * not as it would be written.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { referenceFiles } from "./reference/files.ts";

const DIRECTORY = join(import.meta.dirname, "../docs/reference");
const check = process.argv.includes("--check");

await mkdir(DIRECTORY, { recursive: true });
for (const [name, content] of Object.entries(referenceFiles())) {
  const path = join(DIRECTORY, name);
  const before = await readFile(path, "utf8").catch(() => undefined);
  if (before === content) continue;
  if (check) {
    process.stderr.write(`docs/reference/${name} is stale: run \`npm run reference\`\n`);
    process.exitCode = 1;
  } else {
    await writeFile(path, content);
    process.stdout.write(`wrote docs/reference/${name}\n`);
  }
}
