const FIRST_MS = 100;
const LONGEST_MS = 5000;

/** When the next attempt may be made: pauses that double while it fails, with jitter. Times are of the monotonic clock. */
export class BackOff {
  #pauseMs = FIRST_MS;
  #next = 0;
  /** Asked for by the server: nothing cuts this short. */
  #forbiddenUntil = 0;

  /** @param retryAfterMs what the server asked for, 0 where it did not */
  failed(now: number, retryAfterMs = 0): void {
    this.#next = now + this.#pauseMs * (0.5 + Math.random() / 2);
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_MS);
    this.#forbiddenUntil = now + retryAfterMs;
  }

  succeeded(): void {
    this.#pauseMs = FIRST_MS;
    this.#next = 0;
    this.#forbiddenUntil = 0;
  }

  /** Something has changed: the next attempt may do better. */
  hurry(): void {
    this.#next = 0;
  }

  isDue(now: number): boolean {
    return now >= this.#next && now >= this.#forbiddenUntil;
  }
}
