/** A leader is confirmed every 10 s (`loop_wait`); what was last heard longer ago than this says nothing of now. Milliseconds. */
const STALE_MS = 30_000;

/**
 * For how long a member has been named the leader without a break, on our own monotonic clock. The times in a leader object are
 * the leader's clock and are never compared with ours. A source that has fallen silent, or a freeze of our own, ends a tenure.
 */
export class TenureClock {
  #leader: string | undefined;
  #since = 0;
  #heardAt = 0;

  /** What the leader object (or the member's own `/cluster`) says now. @param leader undefined where nobody is named */
  seen(leader: string | undefined, now: number): void {
    if (leader !== this.#leader || this.#isStale(now)) this.#since = now;
    this.#leader = leader;
    this.#heardAt = now;
  }

  /** The view was interrupted: what happened in between is not known. */
  broken(): void {
    this.#leader = undefined;
  }

  /** Milliseconds; 0 where the member is not the one that is named. */
  namedForMs(member: string, now: number): number {
    return this.#leader === member && !this.#isStale(now) ? now - this.#since : 0;
  }

  #isStale(now: number): boolean {
    return now - this.#heardAt > STALE_MS;
  }
}
