/**
 * For how long a member has been named the leader without a break, on our own monotonic clock. The times in a leader object are
 * the leader's clock and are never compared with ours.
 */
export class TenureClock {
  #leader: string | undefined;
  #since = 0;

  /** What the leader object (or the member's own `/cluster`) says now. @param leader undefined where nobody is named */
  seen(leader: string | undefined, now: number): void {
    if (leader === this.#leader) return;
    this.#leader = leader;
    this.#since = now;
  }

  /** The view was interrupted: what happened in between is not known. */
  broken(): void {
    this.#leader = undefined;
  }

  /** Milliseconds; 0 where the member is not the one that is named. */
  namedForMs(member: string, now: number): number {
    return this.#leader === member ? now - this.#since : 0;
  }
}
