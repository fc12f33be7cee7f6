import type { Log } from "./log.ts";

/** The same trouble is told again after this long. Milliseconds. */
const REMIND_MS = 60_000;

/** Troubles as they are told: each when it begins, once a minute while it lasts, and when it is over. Times are of the monotonic clock. */
export class Troubles<About extends string> {
  readonly #log: Log;
  readonly #open = new Map<About, { text: string; toldAt: number }>();

  constructor(log: Log) {
    this.#log = log;
  }

  begin(about: About, text: string, now: number): void {
    const last = this.#open.get(about);
    if (last?.text === text && now - last.toldAt < REMIND_MS) return;
    this.#open.set(about, { text, toldAt: now });
    this.#log.warn(text);
  }

  /** Says the text where there was any. */
  over(about: About, text: string): void {
    if (this.#open.delete(about)) this.#log.info(text);
  }

  /** Without a word. */
  forget(about: About): void {
    this.#open.delete(about);
  }
}
