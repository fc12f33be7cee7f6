import { setTimeout as delay } from "node:timers/promises";
import { asString, at, type JsonObject, objectsIn } from "../../../json/value.ts";
import { publishedAddresses } from "../../../primary/slice.ts";
import type { Connection } from "../connect.ts";
import { messageOf } from "../outcome.ts";
import { isPassing, withGrace } from "../retry.ts";
import { PgbouncerConsole } from "./console.ts";

/** By then every kube-proxy leads to the new primary: a connection that was made at once may have met the old one. Milliseconds. */
const AGAIN_AFTER_MS = 2000;

/** Between attempts that failed; it doubles. Milliseconds. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Lets PgBouncer make its server connections anew whenever another primary is published: those that it has go on to the one before,
 * which only reads by now. Tries until PgBouncer has heard it, or until yet another primary is published.
 */
export class Reconnect {
  readonly #console: Connection;
  readonly #onReconnect: (primary: string, problem: string | undefined) => void;
  #primary: string | undefined;
  #saying = new AbortController();

  /** @param onReconnect told of each attempt, with what it came to grief with */
  constructor(console: Connection, onReconnect: (primary: string, problem: string | undefined) => void) {
    this.#console = console;
    this.#onReconnect = onReconnect;
  }

  /** The primary's EndpointSlice as it is now; undefined where it does not exist. The first primary that is seen is no other one. */
  seen(slice: JsonObject | undefined): void {
    const primary = slice && identityOf(slice);
    // Nobody is published: there is nobody to connect to yet.
    if (slice === undefined || primary === "" || primary === this.#primary) return;
    const isFirst = this.#primary === undefined;
    this.#primary = primary;
    if (isFirst) return;
    this.stop();
    this.#saying = new AbortController();
    void this.#say(publishedAddresses(slice).join(" "), this.#saying.signal);
  }

  stop(): void {
    this.#saying.abort();
  }

  async #say(primary: string, stopped: AbortSignal): Promise<void> {
    for (const afterMs of [0, AGAIN_AFTER_MS]) {
      await pause(afterMs, stopped);
      await this.#untilHeard(primary, stopped);
    }
  }

  async #untilHeard(primary: string, stopped: AbortSignal): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    while (!stopped.aborted) {
      const problem = await this.#attempt();
      this.#onReconnect(primary, problem);
      if (problem === undefined) return;
      await pause(pauseMs * (0.5 + Math.random() / 2), stopped);
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    }
  }

  /** @returns what went wrong */
  async #attempt(): Promise<string | undefined> {
    try {
      const session = await withGrace(() => PgbouncerConsole.open(this.#console), isPassing);
      try {
        await session.reconnect();
      } finally {
        await session.close();
      }
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }
}

const pause = (ms: number, stopped: AbortSignal): Promise<void> =>
  delay(ms, undefined, { signal: stopped }).catch(() => undefined);

/** Who is published: the pods with their addresses, for an address may come back as another pod's. Empty: nobody. */
const identityOf = (slice: JsonObject): string =>
  objectsIn(slice.endpoints)
    .map((endpoint) =>
      [...publishedAddresses({ endpoints: [endpoint] }), asString(at(endpoint, "targetRef", "uid"))].join(
        " ",
      ),
    )
    .sort()
    .join();
