import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { readConfigText } from "./load.ts";
import { type Defaults, parseConfig } from "./parse.ts";
import { ConfigError, type Problem } from "./problems.ts";
import type { Config } from "./schema.ts";
import { watchDirectory } from "./watch-directory.ts";

export interface ConfigWatchOptions {
  readonly path: string;
  readonly defaults: Defaults;
  /** The file is as it should be, and not as it was: this is what counts from now on. */
  onConfig(config: Config): void;
  /** The file cannot be used as it is now: what counted before goes on to count. */
  onProblems(problems: readonly Problem[]): void;
  /** Where no event comes: a file system without events, or a watcher that died. Default: a minute. */
  readonly pollMs?: number;
  /** How long a new content must stay the same to be believed: a file that is being written looks empty. Default: 0.1 s. */
  readonly settleMs?: number;
}

export interface ConfigWatch {
  stop(): void;
}

const POLL_MS = 60_000;
const SETTLE_MS = 100;

/**
 * Watches a configuration file whose content is known as `text`. The DIRECTORY is watched: the kubelet updates a
 * mounted ConfigMap by swapping the symbolic link `..data` beside the file, and editors put a new file in its place.
 * Each new content is reported once, whichever way it was noticed, and never an older one after a newer.
 */
export function watchConfig(text: string, options: ConfigWatchOptions): ConfigWatch {
  const stopped = new AbortController();
  let known: Content = { text };
  let looking = false;
  let lookAgain = false;

  const look = async (): Promise<void> => {
    lookAgain = true;
    if (looking) return;
    looking = true;
    while (lookAgain && !stopped.signal.aborted) {
      lookAgain = false;
      const found = await settled(options, known, stopped.signal);
      if (stopped.signal.aborted || isSame(found, known)) continue;
      known = found;
      report(found, options);
    }
    looking = false;
  };

  const poll = setInterval(look, options.pollMs ?? POLL_MS).unref();
  const watcher = watchDirectory(dirname(options.path), look);
  // What changed between the first reading and now was seen by no one.
  void look();

  return {
    stop() {
      stopped.abort();
      clearInterval(poll);
      watcher?.close();
    },
  };
}

/** What a look at the file found. */
type Content = { readonly text: string } | { readonly unreadable: Problem };

const isSame = (one: Content, other: Content): boolean => isDeepStrictEqual(one, other);

/** The file's content once it stays as it is, or at once where it is the known one. */
async function settled(
  { path, settleMs = SETTLE_MS }: ConfigWatchOptions,
  known: Content,
  stopped: AbortSignal,
): Promise<Content> {
  let before = await contentOf(path);
  while (!isSame(before, known) && !stopped.aborted) {
    await delay(settleMs, undefined, { signal: stopped }).catch(() => undefined);
    const now = await contentOf(path);
    if (isSame(now, before)) break;
    before = now;
  }
  return before;
}

async function contentOf(path: string): Promise<Content> {
  try {
    return { text: await readConfigText(path) };
  } catch (error) {
    return { unreadable: (error as Error).message };
  }
}

function report(content: Content, { path, defaults, onConfig, onProblems }: ConfigWatchOptions): void {
  const read =
    "unreadable" in content ? [content.unreadable] : configOrProblems(content.text, path, defaults);
  if (isProblems(read)) onProblems(read);
  else onConfig(read);
}

function configOrProblems(text: string, path: string, defaults: Defaults): Config | readonly Problem[] {
  try {
    return parseConfig(text, path, defaults);
  } catch (error) {
    return error instanceof ConfigError ? error.problems : [`${path}: ${String(error)}`];
  }
}

const isProblems = (read: Config | readonly Problem[]): read is readonly Problem[] => Array.isArray(read);
