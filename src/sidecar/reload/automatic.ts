import { setTimeout as delay } from "node:timers/promises";
import type { Component } from "./component.ts";

/** A reload of its own accord waits as long as a caller would. Milliseconds. */
const WITHIN_MS = 60_000;

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/** Where no event comes (the DCS). Milliseconds. */
const LOOK_EVERY_MS = 10_000;

/**
 * Reloads whenever a version is in the pod that is higher than what was proven: after a start too, for nothing is known of it. A
 * configuration that is faulty is not tried again; anything else is, with growing pauses.
 */
export class Automatic {
  readonly #component: Component;
  readonly #stopped = new AbortController();
  #working = false;
  /** The version that was found faulty. */
  #given: number | undefined;
  readonly #looks: NodeJS.Timeout;

  constructor(component: Component) {
    this.#component = component;
    this.#looks = setInterval(() => void component.look(), LOOK_EVERY_MS);
    void component.look();
  }

  /** The version in the pod has changed. */
  async changed(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    let pauseMs = FIRST_PAUSE_MS;
    for (
      let version = this.#due;
      version !== undefined && !this.#stopped.signal.aborted;
      version = this.#due
    ) {
      const answer = await this.#component.ask(version, WITHIN_MS, this.#stopped.signal);
      if (answer?.kind === "applied") pauseMs = FIRST_PAUSE_MS;
      else if (answer?.kind === "failed" && answer.failure.problem === "configuration-invalid")
        this.#given = version;
      else {
        await delay(pauseMs, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      }
    }
    this.#working = false;
  }

  stop(): void {
    clearInterval(this.#looks);
    this.#stopped.abort();
  }

  get #due(): number | undefined {
    const { reading, applied } = this.#component.status;
    if (reading.kind === "none" || reading.version === this.#given) return undefined;
    return applied === undefined || reading.version > applied ? reading.version : undefined;
  }
}
