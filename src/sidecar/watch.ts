import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { isObject, type JsonObject } from "../json/value.ts";
import type { KubeApi } from "./kube-api.ts";

/** Seconds that the server is asked to keep a watch open; a little is added at random. */
const WATCH_SECONDS = 240;

/** Milliseconds. */
const GRACE_MS = 20_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;

export interface WatchHandlers {
  /** The object as it is now; undefined where it was deleted. */
  seen(object: JsonObject | undefined): void;
  /** The watch ended, or could not be opened; what happens from now on is not seen until `seen` is called again. */
  broken(problem: string): void;
}

/**
 * Follows one object by name, until it is aborted. A watch without a resourceVersion begins with the object as it is, so no list
 * is needed (nor allowed). Begins again after every end, with jittered pauses that grow while it fails.
 *
 * @param collection the path of the collection, for example `/api/v1/namespaces/db/configmaps`
 */
export async function watchObject(
  api: KubeApi,
  collection: string,
  name: string,
  handlers: WatchHandlers,
  stopped: AbortSignal,
): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  while (!stopped.aborted) {
    try {
      const ended = await follow(api, collection, name, handlers, stopped, () => {
        pauseMs = FIRST_PAUSE_MS;
      });
      if (ended !== undefined) handlers.broken(ended);
    } catch (error) {
      if (!stopped.aborted) handlers.broken((error as Error).message);
    }
    await delay(pauseMs * (0.5 + Math.random() / 2), undefined, { signal: stopped }).catch(() => undefined);
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
  }
}

/** @returns why the watch ended; undefined where it only came to its agreed end */
async function follow(
  api: KubeApi,
  collection: string,
  name: string,
  handlers: WatchHandlers,
  stopped: AbortSignal,
  onEvent: () => void,
): Promise<string | undefined> {
  const seconds = WATCH_SECONDS + Math.floor(Math.random() * 60);
  const silent = AbortSignal.timeout(seconds * 1000 + GRACE_MS);
  const query = `watch=1&fieldSelector=metadata.name%3D${encodeURIComponent(name)}&timeoutSeconds=${seconds}`;
  const stream = await api.open(`${collection}?${query}`, AbortSignal.any([stopped, silent]));
  if (stream.statusCode !== 200) {
    stream.resume();
    return `${stream.statusCode} ${stream.statusMessage ?? ""}`;
  }
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    const event: unknown = JSON.parse(line);
    if (!isObject(event) || !isObject(event.object)) continue;
    if (event.type === "ERROR") return String(event.object.message ?? "the watch ended with an error");
    handlers.seen(event.type === "DELETED" ? undefined : event.object);
    onEvent();
  }
  return undefined;
}
