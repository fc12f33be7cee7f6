import { setTimeout as delay } from "node:timers/promises";
import { asString, at, isObject, type JsonObject, objectsIn } from "../json/value.ts";
import { BACK_OFF, BackOff, type BackOffTimes } from "./back-off.ts";
import type { KubeConnection, KubeRequest } from "./connection.ts";
import { isForbidden, KubeError } from "./error.ts";
import { linesOf } from "./lines.ts";

/** What a watch keeps up to date. Where it throws, that is reported, and the watch goes on. */
export interface WatchTarget<Entry> {
  /** What is kept of an object in a list. The rest is let go before the next page is read. */
  reduce(object: JsonObject): Entry;
  /** The whole of a list: what is not in it is gone. */
  replace(entries: readonly Entry[]): void;
  /** An event: `ADDED`, `MODIFIED`, `DELETED`. */
  apply(type: string, object: JsonObject): void;
}

export interface WatchOptions<Entry> {
  /** The collection's path, for example `/api/v1/services`. */
  readonly path: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly target: WatchTarget<Entry>;
  /** Told of every interruption, with the pause before the next try; of a target that threw, with 0. */
  onInterrupted(error: unknown, pauseMs: number): void;
  readonly times?: Partial<WatchTimes>;
}

/** Milliseconds. */
export interface WatchTimes extends BackOffTimes {
  /** How long the server is asked to keep a watch open: half as much may be added at random, and it is rounded up to seconds. */
  readonly watchMs: number;
  /** A watch that goes on for this much longer is cut: the server, or the way to it, is dead. */
  readonly graceMs: number;
  /** A watch that held for this long was a good one: the next interruption is met with a short pause. */
  readonly steadyMs: number;
}

export interface Watcher {
  /** True once a list was read. Stays true: what was seen is better than nothing while the API server is away. */
  synced(): boolean;
  /** The newest answer to a list was that we may not read this. */
  forbidden(): boolean;
  /** Resolves when nothing of the watch runs any more; from the call on the target is left alone. */
  stop(): Promise<void>;
}

/**
 * A server sends a bookmark shortly before a watch's time is over, and is asked for short watches: a connection that died
 * without a word is noticed soon, at the cost of a request a minute.
 */
const TIMES: WatchTimes = { ...BACK_OFF, watchMs: 60_000, graceMs: 10_000, steadyMs: 5_000 };
const PAGE = "500";

/**
 * Lists a collection and follows its changes until it is stopped, whatever happens: goes on behind the last event where it
 * can, lists again where it cannot, and pauses between tries. Never rejects.
 */
export function watchResource<Entry>(connection: KubeConnection, options: WatchOptions<Entry>): Watcher {
  const watch = new Watch(connection, options);
  const running = watch.run();
  return {
    synced: () => watch.synced,
    forbidden: () => watch.forbidden,
    async stop() {
      watch.stop();
      await running;
    },
  };
}

class Watch<Entry> {
  synced = false;
  forbidden = false;
  readonly #connection: KubeConnection;
  readonly #options: WatchOptions<Entry>;
  readonly #times: WatchTimes;
  readonly #backOff: BackOff;
  readonly #stopped = new AbortController();
  /** Everything up to here is known to the target; undefined: nothing that a watch could go on from. */
  #version: string | undefined;

  constructor(connection: KubeConnection, options: WatchOptions<Entry>) {
    this.#connection = connection;
    this.#options = options;
    this.#times = { ...TIMES, ...options.times };
    this.#backOff = new BackOff(this.#times);
  }

  stop(): void {
    this.#stopped.abort();
  }

  async run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const failure = await this.#round();
      if (signal.aborted || failure === undefined) continue;
      const pauseMs = this.#backOff.next(failure.error);
      if (failure.error !== undefined) this.#report(failure.error, pauseMs);
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Lists if need be, and watches once. @returns why to pause before the next round, without an error where none was said */
  async #round(): Promise<{ error?: unknown } | undefined> {
    try {
      this.#version ??= await this.#list();
    } catch (error) {
      this.forbidden = isForbidden(error);
      return { error };
    }
    const began = performance.now();
    let failure: { error?: unknown } = {};
    try {
      await this.#follow(this.#version);
    } catch (error) {
      if (!leavesVersion(error)) this.#version = undefined;
      failure = { error };
    }
    const steady = performance.now() - began >= this.#times.steadyMs;
    if (steady) this.#backOff.reset();
    return steady && failure.error === undefined ? undefined : failure;
  }

  /** Reads the whole collection, page by page. @returns its resourceVersion */
  async #list(): Promise<string> {
    const { path, target } = this.#options;
    const { signal } = this.#stopped;
    const entries: Entry[] = [];
    let version = "";
    for (let next: string | undefined = ""; next !== undefined; ) {
      const query = { ...this.#selectors(), limit: PAGE, ...(next === "" ? {} : { continue: next }) };
      const page = await this.#connection.send({ method: "GET", path, query, signal });
      version = asString(at(page, "metadata", "resourceVersion")) ?? "";
      if (version === "" || !Array.isArray(page.items)) {
        throw new KubeError(`GET ${path}: the answer is no list`, { code: 0 });
      }
      for (const object of objectsIn(page.items)) {
        this.#guarded(() => entries.push(target.reduce(object)));
      }
      next = asString(at(page, "metadata", "continue")) || undefined;
    }
    this.#guarded(() => target.replace(entries));
    this.synced = true;
    this.forbidden = false;
    return version;
  }

  /** Follows one watch to the end that the server gives it. Rejects where it ends in any other way. */
  async #follow(from: string): Promise<void> {
    const { path, target } = this.#options;
    const seconds = Math.ceil((this.#times.watchMs * (1 + Math.random() / 2)) / 1000);
    const cut = new AbortController();
    const timer = setTimeout(() => cut.abort(), seconds * 1000 + this.#times.graceMs);
    const call: KubeRequest = {
      method: "GET",
      path,
      query: {
        ...this.#selectors(),
        watch: "true",
        allowWatchBookmarks: "true",
        timeoutSeconds: String(seconds),
        resourceVersion: from,
      },
      signal: AbortSignal.any([this.#stopped.signal, cut.signal]),
    };
    try {
      const stream = await this.#connection.open(call);
      for await (const line of linesOf(stream)) {
        const { type, object } = eventIn(line);
        if (type === "ERROR") throw errorIn(path, object);
        if (type !== "BOOKMARK") this.#guarded(() => target.apply(type, object));
        this.#version = asString(at(object, "metadata", "resourceVersion")) ?? this.#version;
      }
    } catch (error) {
      if (cut.signal.aborted) throw new SilentWatch(path);
      if (error instanceof KubeError) throw error;
      throw new KubeError(`watch of ${path}: ${(error as Error).message}`, { code: 0 }, { cause: error });
    } finally {
      clearTimeout(timer);
      cut.abort();
    }
  }

  #selectors(): Record<string, string> {
    const { labelSelector, fieldSelector } = this.#options;
    return {
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    };
  }

  #guarded(work: () => unknown): void {
    if (this.#stopped.signal.aborted) return;
    try {
      work();
    } catch (error) {
      this.#report(error, 0);
    }
  }

  #report(error: unknown, pauseMs: number): void {
    try {
      this.#options.onInterrupted(error, pauseMs);
    } catch {
      // Whoever cannot even be told has no say in whether the watch goes on.
    }
  }
}

/** What was said last may be long past, or of a server that was set back in time: only a list tells. */
class SilentWatch extends KubeError {
  constructor(path: string) {
    super(`watch of ${path}: it went on for longer than the server was asked to let it`, { code: 0 });
  }
}

/** True where an error says nothing of the version: the connection, our rights or the server's load are to blame. */
function leavesVersion(error: unknown): boolean {
  if (error instanceof SilentWatch || !(error instanceof KubeError)) return false;
  if (error.cause instanceof SyntaxError) return false;
  return [0, 401, 403, 429].includes(error.code) || error.code >= 500;
}

function eventIn(line: string): { type: string; object: JsonObject } {
  const event: unknown = JSON.parse(line);
  if (isObject(event) && isObject(event.object)) {
    return { type: asString(event.type) ?? "", object: event.object };
  }
  throw new SyntaxError("the watch sent a line that is no event");
}

function errorIn(path: string, status: JsonObject): KubeError {
  const code = typeof status.code === "number" ? status.code : 0;
  const reason = asString(status.reason) ?? "";
  return new KubeError(`watch of ${path}: ${code} ${asString(status.message) ?? reason}`, { code, reason });
}
