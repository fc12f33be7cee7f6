import type { ServerResponse } from "node:http";
import { apiVersionOf } from "./decode.ts";
import type { RequestFacts, RunningWatch, WatchFault } from "./faults.ts";
import { type Selection, selectionOf } from "./read.ts";
import { isTrue, type Target } from "./router.ts";
import { expired, notANumber, type Status, untranslated } from "./status.ts";
import type { Change, Store } from "./store.ts";
import { Stored } from "./stored.ts";

/** A reader that is this far behind is cut off. */
const LONGEST_BACKLOG_BYTES = 64 * 1024 * 1024;

const GONE = expired("too old resource version").status;

type EventType = "ADDED" | "MODIFIED" | "DELETED";

/** A watch as it is asked for. */
export interface WatchOrder {
  readonly target: Target;
  readonly selection: Selection;
  /** Undefined: begin with the present state. */
  readonly since: number | undefined;
  readonly bookmarks: boolean;
  /** Whether a bookmark tells the end of the present state (`sendInitialEvents`). */
  readonly marksInitialEnd: boolean;
  readonly timeoutMs: number | undefined;
}

/** @throws StatusError */
export function watchOrder(target: Target, query: URLSearchParams): WatchOrder {
  const version = query.get("resourceVersion") ?? "";
  if (!/^\d*$/.test(version)) {
    throw untranslated(`resourceVersion: Invalid value: ${JSON.stringify(version)}: ${notANumber(version)}`);
  }
  const initial = isTrue(query.get("sendInitialEvents"));
  const seconds = Number(query.get("timeoutSeconds") ?? 0);
  return {
    target,
    selection: selectionOf(query, target.resource),
    since: version === "" || version === "0" || initial ? undefined : Number(version),
    bookmarks: isTrue(query.get("allowWatchBookmarks")),
    marksInitialEnd: initial && isTrue(query.get("allowWatchBookmarks")),
    timeoutMs: seconds > 0 ? seconds * 1000 : undefined,
  };
}

/** One open stream: what happens in the store, as far as the order selects it, line by line. */
export class WatchStream implements RunningWatch {
  readonly facts: RequestFacts;
  readonly wantsBookmarks: boolean;
  readonly #order: WatchOrder;
  readonly #response: ServerResponse;
  readonly #store: Store;
  #unlisten: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #silent = false;

  constructor(order: WatchOrder, facts: RequestFacts, response: ServerResponse, store: Store) {
    this.#order = order;
    this.facts = facts;
    this.wantsBookmarks = order.bookmarks;
    this.#response = response;
    this.#store = store;
  }

  start(): void {
    const { target, since, timeoutMs, marksInitialEnd } = this.#order;
    if (this.#response.writableEnded) return;
    if (since === undefined) {
      this.#sendState();
      if (marksInitialEnd) this.bookmark({ "k8s.io/initial-events-end": "true" });
    } else if (!this.#replay(since)) return;
    const listener = (change: Change) => {
      if (since === undefined || change.revision > since) this.#sendChange(change);
    };
    this.#unlisten = this.#store.listen(target.resource.id, target.namespace, listener);
    if (timeoutMs === undefined) return;
    this.#timer = setTimeout(() => {
      if (!this.#silent) this.end();
    }, timeoutMs);
  }

  /** What this stream knows is the state of the store's revision: all changes are sent as they happen. */
  bookmark(annotations?: Record<string, string>): void {
    const { resource } = this.#order.target;
    const metadata = {
      resourceVersion: String(this.#store.revision),
      ...(annotations === undefined ? {} : { annotations }),
    };
    const object = { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata };
    this.#write("BOOKMARK", JSON.stringify(object));
  }

  strike(kind: WatchFault): void {
    if (kind === "watch-silent") this.#silent = true;
    if (kind === "watch-gone") this.#fail(GONE);
    if (kind === "drop") this.#response.destroy();
  }

  /** Ends the stream as one that has run its time. */
  end(): void {
    this.close();
    this.#response.end();
  }

  /** No more events, no more timers. */
  close(): void {
    this.#unlisten?.();
    clearTimeout(this.#timer);
  }

  #sendState(): void {
    const { target, selection } = this.#order;
    for (const stored of this.#store.list(target.resource.id, target.namespace)) {
      if (selection.matches(stored.object)) this.#write("ADDED", stored.json);
    }
  }

  /** @returns false where the events after `since` are forgotten, which the client has been told */
  #replay(since: number): boolean {
    const { target } = this.#order;
    const missed = this.#store.changesAfter(since, target.resource.id);
    if (missed === undefined) {
      this.#fail(expired(`too old resource version: ${since} (${this.#store.revision})`).status);
      return false;
    }
    for (const change of missed) {
      if (target.namespace === undefined || target.namespace === change.namespace) this.#sendChange(change);
    }
    return true;
  }

  #sendChange(change: Change): void {
    const event = seen(change, this.#order.selection);
    if (event !== undefined) this.#write(event.type, event.object.json);
  }

  #fail(status: Status): void {
    this.#write("ERROR", JSON.stringify(status));
    this.end();
  }

  #write(type: EventType | "BOOKMARK" | "ERROR", json: string): void {
    if (this.#silent || this.#response.writableEnded) return;
    this.#response.write(`{"type":"${type}","object":${json}}\n`);
    if (this.#response.writableLength > LONGEST_BACKLOG_BYTES) this.#response.destroy();
  }
}

/**
 * What a change is to those who see only what they select: an object that comes into sight is added, one that goes
 * out of sight is deleted, and is shown as it was last seen.
 */
function seen(
  { type, object, previous, revision }: Change,
  { matches, everything }: Selection,
): { readonly type: EventType; readonly object: Stored } | undefined {
  if (everything) return { type, object };
  const before = previous !== undefined && matches(previous.object) ? previous : undefined;
  const now = type !== "DELETED" && matches(object.object);
  if (now) return { type: before === undefined ? "ADDED" : "MODIFIED", object };
  if (before === undefined) return undefined;
  return { type: "DELETED", object: type === "DELETED" ? object : atRevision(before, revision) };
}

function atRevision({ object }: Stored, revision: number): Stored {
  return new Stored(
    { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } },
    revision,
  );
}
