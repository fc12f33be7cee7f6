/** One look at the event loop. */
export interface LagSample {
  /** Milliseconds: the longest wait for the event loop since the last look. */
  readonly longestMs: number;
  /** The share of that time that was spent on reviews, 0 to 1. */
  readonly reviewShare: number;
  /** Milliseconds of a monotonic clock. */
  readonly now: number;
}

/** Milliseconds. */
const LAG_MS = 250;
const STALL_MS = 1000;

/** Looks, one a second. */
const STALLS_TO_LEAVE = 5;
const CALM_TO_RETURN = 3;

/** Milliseconds: no absence is longer, and none follows sooner upon another. */
const LONGEST_ABSENCE_MS = 30_000;
const BETWEEN_ABSENCES_MS = 300_000;

/**
 * What follows from an event loop that lags.
 *
 * `lags`: from one look to the next. Fewer reviews may wait, and the others are asked to come again, which leads some elsewhere.
 *
 * `stalls`: for a replica that is worse off than others could be (a CPU limit, a node that swaps, a runaway task): it is to be
 * taken out of the Service. Reviews must never do that. Load is shared by all replicas: one that leaves because of it doubles it for
 * the next, until none is left and no pod is injected, which is worse than a slow answer. So a stall counts only where reviews had less
 * than half of the time; it takes five seconds of nothing but stalls to leave, and calm to return (hysteresis); and as the cause
 * may still be one that all replicas have, nobody is away for more than 30 s, nor again within five minutes.
 */
export class LagVerdict {
  #lags = false;
  #stalls = 0;
  #calm = 0;
  #awaySince: number | undefined;
  #lastAway = Number.NEGATIVE_INFINITY;

  take({ longestMs, reviewShare, now }: LagSample): void {
    this.#lags = longestMs >= LAG_MS;
    this.#calm = this.#lags ? 0 : this.#calm + 1;
    this.#stalls = longestMs >= STALL_MS && reviewShare < 0.5 ? this.#stalls + 1 : 0;
    if (this.#awaySince === undefined) {
      const mayLeave = now - this.#lastAway >= BETWEEN_ABSENCES_MS;
      if (mayLeave && this.#stalls >= STALLS_TO_LEAVE) this.#awaySince = now;
    } else if (this.#calm >= CALM_TO_RETURN || now - this.#awaySince >= LONGEST_ABSENCE_MS) {
      this.#awaySince = undefined;
      this.#lastAway = now;
    }
  }

  get lags(): boolean {
    return this.#lags;
  }

  get stalls(): boolean {
    return this.#awaySince !== undefined;
  }
}
