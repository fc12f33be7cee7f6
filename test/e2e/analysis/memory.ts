/** What a container's control group says of its memory. */
export interface ContainerMemory {
  /** The most that was ever charged, page cache included. */
  readonly peakBytes: number;
  /** What belongs to no file, now: what could not be given back. */
  readonly anonymousBytes: number;
  /** Processes that the kernel ended for want of memory. */
  readonly oomKills: number;
}

/** The file with the peak in each version of cgroups. */
export const PEAK_FILES = ["memory.max_usage_in_bytes", "memory.peak"] as const;

/** The others that {@link parseMemory} reads, of either version. */
export const OTHER_FILES = ["memory.stat", "memory.oom_control", "memory.events"] as const;

/**
 * From lines of the form `<file> <line of that file>`.
 *
 * @throws Error where one of the figures is not there
 */
export function parseMemory(text: string): ContainerMemory {
  const values = new Map<string, number>();
  for (const line of text.split("\n")) {
    const cut = line.lastIndexOf(" ");
    values.set(line.slice(0, cut), Number(line.slice(cut + 1)));
  }
  const first = (what: string, names: readonly string[]): number => {
    const value = names.map((name) => values.get(name)).find((found) => found !== undefined);
    if (value === undefined || Number.isNaN(value)) throw new Error(`no ${what} in: ${text.slice(0, 200)}`);
    return value;
  };
  return {
    peakBytes: first("peak", PEAK_FILES),
    anonymousBytes: first("anonymous memory", ["memory.stat rss", "memory.stat anon"]),
    oomKills: first("count of kills", ["memory.oom_control oom_kill", "memory.events oom_kill"]),
  };
}
