import { setTimeout as delay } from "node:timers/promises";
import type { JsonObject } from "../../../json/value.ts";
import { publishedAddresses } from "../../../primary/slice.ts";
import type { Connection } from "../connect.ts";
import { messageOf } from "../outcome.ts";
import { isPassing, withGrace } from "../retry.ts";
import { PgbouncerConsole } from "./console.ts";

/** By then every kube-proxy leads to the new primary: a connection that was made at once may have met the old one. Milliseconds. */
const AGAIN_AFTER_MS = 2000;

/**
 * Lets PgBouncer make its server connections anew whenever another primary is published: those that it has go on to the one before,
 * which only reads by now.
 */
export class Reconnect {
  readonly #console: Connection;
  readonly #onReconnect: (primary: string, problem: string | undefined) => void;
  readonly #stopped = new AbortController();
  #primary: string | undefined;

  /** @param onReconnect told of each attempt, with what it came to grief with */
  constructor(console: Connection, onReconnect: (primary: string, problem: string | undefined) => void) {
    this.#console = console;
    this.#onReconnect = onReconnect;
  }

  /** The primary's EndpointSlice as it is now; undefined where it does not exist. */
  async seen(slice: JsonObject | undefined): Promise<void> {
    const primary = slice && publishedAddresses(slice).join(" ");
    // Nobody is published: there is nobody to connect to yet.
    if (primary === undefined || primary === "" || primary === this.#primary) return;
    const isFirst = this.#primary === undefined;
    this.#primary = primary;
    if (isFirst) return;
    await this.#reconnect(primary);
    await delay(AGAIN_AFTER_MS, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
    if (this.#primary === primary && !this.#stopped.signal.aborted) await this.#reconnect(primary);
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #reconnect(primary: string): Promise<void> {
    try {
      const session = await withGrace(() => PgbouncerConsole.open(this.#console), isPassing);
      try {
        await session.reconnect();
      } finally {
        await session.close();
      }
      this.#onReconnect(primary, undefined);
    } catch (error) {
      this.#onReconnect(primary, messageOf(error));
    }
  }
}
