import type { ServerResponse } from "node:http";
import type { Faults, RequestFacts, WatchFault } from "./faults.ts";
import type { Store } from "./store.ts";
import { type WatchOrder, WatchStream } from "./watch-stream.ts";

/** The open streams of a server. */
export class Watches {
  readonly #store: Store;
  readonly #faults: Faults;
  readonly #streams = new Set<WatchStream>();
  readonly #bookmarkTimer: NodeJS.Timeout;

  /** @param bookmarkEvery milliseconds between the bookmarks of those streams that asked for them */
  constructor(store: Store, faults: Faults, bookmarkEvery: number) {
    this.#store = store;
    this.#faults = faults;
    this.#bookmarkTimer = setInterval(() => {
      for (const stream of this.#streams) if (stream.wantsBookmarks) stream.bookmark();
    }, bookmarkEvery).unref();
  }

  /** How many streams are open. */
  get size(): number {
    return this.#streams.size;
  }

  /** Answers with a stream that lives until the client, the time-out, a fault or the server ends it. */
  open(
    order: WatchOrder,
    facts: RequestFacts,
    fault: WatchFault | undefined,
    response: ServerResponse,
  ): void {
    response.writeHead(200, { "content-type": "application/json", "cache-control": "no-cache, private" });
    response.flushHeaders();
    const stream = new WatchStream(order, facts, response, this.#store);
    const unregister = this.#faults.register(stream);
    this.#streams.add(stream);
    response.on("close", () => {
      stream.close();
      unregister();
      this.#streams.delete(stream);
    });
    if (fault !== undefined) stream.strike(fault);
    stream.start();
  }

  close(): void {
    clearInterval(this.#bookmarkTimer);
    for (const stream of this.#streams) stream.end();
  }
}
