import { globSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** So many files share a process: loading what they need costs as much as running one of them. */
const GROUP_SIZE = 4;

/** Files of one folder, which load much the same, in groups of at most {@link GROUP_SIZE}. */
export function groupFiles(files: readonly string[]): string[][] {
  const folders = Map.groupBy([...files].sort(), dirname);
  return [...folders.values()].flatMap((folder) => {
    const count = Math.ceil(folder.length / GROUP_SIZE);
    return Array.from({ length: count }, (_, group) => folder.filter((_, index) => index % count === group));
  });
}

/**
 * A module that runs test files one after the other. Each is a suite of its own: its hooks are for its tests alone, its name is
 * above them, and where it cannot be loaded that suite fails and the others run.
 */
export function groupModule(files: readonly string[], limitMs: number): string {
  const suites = files.map((file) => {
    const url = JSON.stringify(pathToFileURL(resolve(file)));
    return `describe(${JSON.stringify(file)}, { timeout: ${limitMs} }, () => import(${url}));\n`;
  });
  return `import { describe } from "node:test";\n\n${suites.join("")}`;
}

interface Groups {
  /** The files that match these, by the working directory. */
  readonly patterns: readonly string[];
  /** Where the groups' modules are written. */
  readonly directory: string;
  /** For each file. */
  readonly limitMs: number;
}

/** Writes a module for each group: the test runner starts a process for each. `limitMs` is for the whole of one. */
export async function writeGroups({ patterns, directory, limitMs }: Groups) {
  const entries = groupFiles(globSync(patterns)).map((files, index) => ({
    path: join(directory, `group-${index + 1}.test.mjs`),
    text: groupModule(files, limitMs),
  }));
  await Promise.all(entries.map(({ path, text }) => writeFile(path, text)));
  return { entries: entries.map(({ path }) => path), limitMs: limitMs * GROUP_SIZE };
}
