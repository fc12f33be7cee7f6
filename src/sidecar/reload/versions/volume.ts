import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { watchDirectory } from "../../../config/watch-directory.ts";

/** A swap takes a rename and the removal of what was there: microseconds. Milliseconds. */
const AGAIN_AFTER_MS = 5;
const TRIES = 5;

/** No configuration is this large; the API's own limit for a ConfigMap is 1 MiB. */
const LARGEST = 2 * 1024 * 1024;

/**
 * The text of a file in a mounted ConfigMap, Secret or downward API volume. The kubelet swaps the link `..data` and removes the
 * folder that it led to: a path that was being followed just then leads nowhere for a moment, and is followed again.
 */
export async function readMounted(path: string): Promise<string> {
  for (let tried = 1; ; tried++) {
    try {
      const text = await readFile(path, "utf8");
      if (text.length > LARGEST) throw new Error(`${path} is too large`);
      return text;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if ((code !== "ENOENT" && code !== "ESTALE") || tried === TRIES) throw error;
      await delay(AGAIN_AFTER_MS);
    }
  }
}

/** Watches the FOLDER of a file: the file itself never changes, the link beside it does. Without watchers the looks at intervals remain. */
export function watchFolderOf(path: string, onChange: () => void): () => void {
  const watcher = watchDirectory(dirname(path), onChange);
  return () => watcher?.close();
}
