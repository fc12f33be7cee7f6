import { KubeError } from "./error.ts";

/** Milliseconds. */
export interface BackOffTimes {
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

export const BACK_OFF: BackOffTimes = { firstPauseMs: 500, longestPauseMs: 30_000 };

/** However long a server asks us to stay away, we look again after this. */
const LONGEST_ASKED_MS = 120_000;

/** Pauses between tries: they double from one to the next, and are spread so that clients do not meet. */
export class BackOff {
  readonly #times: BackOffTimes;
  readonly #random: () => number;
  #tries = 0;

  /** @param random a number in [0, 1) */
  constructor(times: BackOffTimes, random: () => number = Math.random) {
    this.#times = times;
    this.#random = random;
  }

  /** The next pause in milliseconds: between half of the growing bound and all of it, never less than `Retry-After`. */
  next(error?: unknown): number {
    const { firstPauseMs, longestPauseMs } = this.#times;
    const bound = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(this.#tries++, 30));
    const asked = error instanceof KubeError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    return Math.max(Math.min(asked, LONGEST_ASKED_MS), bound * (0.5 + this.#random() / 2));
  }

  /** All is well: the next pause is a short one. */
  reset(): void {
    this.#tries = 0;
  }
}
