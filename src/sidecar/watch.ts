import { setTimeout as delay } from "node:timers/promises";
import { isObject, type JsonObject } from "../json/value.ts";
import { linesOf } from "../kube/lines.ts";
import { type ApiObject, ApiProblem, collectionPath } from "./api-object.ts";
import { type KubeApi, retryAfterMs } from "./kube-api.ts";

/** Seconds that the server is asked to keep a watch open; up to a minute is added at random. */
const WATCH_SECONDS = 240;

/** Milliseconds. */
const GRACE_MS = 20_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;

export interface WatchHandlers {
  /** The watch stands. The object as it is follows, where it exists. */
  opened?(): void;
  /** The object as it is now; undefined where it was deleted. */
  seen(object: JsonObject | undefined): void;
  /** The watch ended, or could not be opened; what happens from now on is not seen until `seen` is called again. */
  broken(problem: Error): void;
}

/**
 * Follows one object by name, until it is aborted. A watch without a resourceVersion begins with the object as it is, so no list
 * is needed (nor allowed). Begins again after every end, with jittered pauses that grow while it fails.
 */
export async function watchObject(
  api: KubeApi,
  object: ApiObject,
  handlers: WatchHandlers,
  stopped: AbortSignal,
): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  const heard = {
    opened: () => handlers.opened?.(),
    seen(object: JsonObject | undefined) {
      pauseMs = FIRST_PAUSE_MS;
      handlers.seen(object);
    },
  };
  while (!stopped.aborted) {
    const problem = await follow(api, object, heard, stopped).catch((error: Error) => error);
    if (stopped.aborted) return;
    if (problem !== undefined) handlers.broken(problem);
    const asked = problem instanceof ApiProblem ? problem.retryAfterMs : 0;
    const pause = Math.max(asked, pauseMs * (0.5 + Math.random() / 2));
    await delay(pause, undefined, { signal: stopped }).catch(() => undefined);
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
  }
}

/** @returns why the watch ended; undefined where it only came to its agreed end */
async function follow(
  api: KubeApi,
  object: ApiObject,
  heard: Required<Pick<WatchHandlers, "opened" | "seen">>,
  stopped: AbortSignal,
): Promise<Error | undefined> {
  const seconds = WATCH_SECONDS + Math.floor(Math.random() * 60);
  const silent = AbortSignal.timeout(seconds * 1000 + GRACE_MS);
  const query = `watch=1&fieldSelector=metadata.name%3D${encodeURIComponent(object.name)}&timeoutSeconds=${seconds}`;
  const stream = await api.open(`${collectionPath(object)}?${query}`, AbortSignal.any([stopped, silent]));
  if (stream.statusCode !== 200) {
    stream.resume();
    const { statusCode: code = 0, statusMessage: problem = "", headers } = stream;
    const answer = { code, problem, retryAfterMs: retryAfterMs(headers["retry-after"]) };
    return new ApiProblem("watch", object, { ...answer, body: {}, expired: false });
  }
  heard.opened();
  for await (const line of linesOf(stream)) {
    const event: unknown = JSON.parse(line);
    if (!isObject(event) || !isObject(event.object)) continue;
    if (event.type === "ERROR")
      return new Error(String(event.object.message ?? "the watch ended with an error"));
    heard.seen(event.type === "DELETED" ? undefined : event.object);
  }
  return undefined;
}
