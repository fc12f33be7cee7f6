import { type FSWatcher, watch } from "node:fs";

/** Calls back for every change in a directory; undefined where the system has no watchers (left). */
export function watchDirectory(directory: string, onEvent: () => void): FSWatcher | undefined {
  try {
    return watch(directory, { persistent: false }, onEvent).on("error", () => undefined);
  } catch {
    return undefined;
  }
}
