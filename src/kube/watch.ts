import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { asString, at, isObject, type JsonObject, objectsIn } from "../json/value.ts";
import type { KubeConnection } from "./connection.ts";
import { KubeError } from "./error.ts";

/** What a watch keeps up to date. Must not throw. */
export interface WatchTarget {
  replace(objects: readonly JsonObject[]): void;
  apply(type: string, object: JsonObject): void;
}

export interface WatchOptions {
  /** The collection's path, for example `/api/v1/services`. */
  readonly path: string;
  readonly target: WatchTarget;
  /** Told of every interruption, with the pause before the next try. */
  onInterrupted(error: unknown, pauseMs: number): void;
  readonly times?: Partial<WatchTimes>;
}

/** Milliseconds. */
export interface WatchTimes {
  /** How long the server is asked to keep a watch open; half as much is added at random. */
  readonly watchMs: number;
  /** A watch that is silent for this long beyond that is taken for dead. */
  readonly graceMs: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

export interface Watcher {
  /** True once a list was read. Stays true: what was seen is better than nothing while the API server is away. */
  synced(): boolean;
  /** Resolves when nothing of the watch runs any more. */
  stop(): Promise<void>;
}

const TIMES: WatchTimes = { watchMs: 240_000, graceMs: 30_000, firstPauseMs: 500, longestPauseMs: 30_000 };
const PAGE = 500;

/**
 * Lists a collection and follows its changes until it is stopped: lists again where the watch's beginning is gone (410), and
 * begins again with growing, jittered pauses after every other error. A watch that says nothing at all is cut and begun anew,
 * for a connection can be dead without either end noticing.
 */
export function watchResource(connection: KubeConnection, options: WatchOptions): Watcher {
  const stopped = new AbortController();
  const times = { ...TIMES, ...options.times };
  let synced = false;
  const running = follow(connection, options, times, stopped.signal, () => {
    synced = true;
  });
  return {
    synced: () => synced,
    async stop() {
      stopped.abort();
      await running;
    },
  };
}

async function follow(
  connection: KubeConnection,
  options: WatchOptions,
  times: WatchTimes,
  signal: AbortSignal,
  onSynced: () => void,
): Promise<void> {
  let version: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    try {
      if (version === undefined) {
        version = await list(connection, options, signal);
        onSynced();
      }
      version = await watchFrom(connection, options, times, version, signal, () => {
        failures = 0;
      });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof KubeError && error.code === 410) version = undefined;
      const pauseMs = pauseAfter(error, failures++, times);
      options.onInterrupted(error, pauseMs);
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Reads the whole collection, page by page. @returns its resourceVersion */
async function list(
  connection: KubeConnection,
  { path, target }: WatchOptions,
  signal: AbortSignal,
): Promise<string> {
  const objects: JsonObject[] = [];
  let next: string | undefined;
  let version = "";
  do {
    const query = next === undefined ? `limit=${PAGE}` : `limit=${PAGE}&continue=${encodeURIComponent(next)}`;
    const answer = await connection.send({ method: "GET", path: `${path}?${query}`, signal });
    objects.push(...objectsIn(answer.items));
    version = asString(at(answer, "metadata", "resourceVersion")) ?? "";
    next = asString(at(answer, "metadata", "continue")) || undefined;
  } while (next !== undefined);
  target.replace(objects);
  return version;
}

/** Follows a watch to its end. @returns the resourceVersion to go on from */
async function watchFrom(
  connection: KubeConnection,
  { path, target }: WatchOptions,
  times: WatchTimes,
  from: string,
  stopped: AbortSignal,
  onEvent: () => void,
): Promise<string> {
  const askedMs = Math.round(times.watchMs * (1 + Math.random() / 2));
  const cut = new AbortController();
  const timer = setTimeout(() => cut.abort(new Error("the watch was silent")), askedMs + times.graceMs);
  const signal = AbortSignal.any([stopped, cut.signal]);
  const seconds = Math.max(1, Math.round(askedMs / 1000));
  const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=${seconds}&resourceVersion=${encodeURIComponent(from)}`;
  let version = from;
  try {
    const stream = await connection.open({ method: "GET", path: `${path}?${query}`, signal });
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      const { type, object } = eventIn(line);
      if (type === "ERROR") throw errorIn(object);
      target.apply(type, object);
      version = asString(at(object, "metadata", "resourceVersion")) ?? version;
      onEvent();
    }
    return version;
  } catch (error) {
    // What came before the break was taken: the next watch goes on behind it, unless that is just what is gone.
    if (version !== from && !(error instanceof KubeError && error.code === 410) && !stopped.aborted)
      return version;
    throw error;
  } finally {
    clearTimeout(timer);
    cut.abort();
  }
}

function eventIn(line: string): { type: string; object: JsonObject } {
  const event: unknown = JSON.parse(line);
  if (!isObject(event) || !isObject(event.object))
    throw new KubeError("the watch sent no event", { code: 0 });
  return { type: asString(event.type) ?? "", object: event.object };
}

function errorIn(status: JsonObject): KubeError {
  const code = typeof status.code === "number" ? status.code : 0;
  const reason = asString(status.reason) ?? "";
  return new KubeError(`the watch ended: ${code} ${asString(status.message) ?? reason}`, { code, reason });
}

/** Doubles from failure to failure, never less than the server asks for, and is spread so that clients do not meet. */
function pauseAfter(error: unknown, failures: number, { firstPauseMs, longestPauseMs }: WatchTimes): number {
  const grown = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 16));
  const spread = grown * (0.5 + Math.random() / 2);
  const asked = error instanceof KubeError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
  return Math.max(asked, spread);
}
