/** One position of the leader's WAL, in bytes, and when we first heard of it. */
interface Sample {
  readonly position: number;
  readonly heardAt: number;
}

/** A day of one sample a second would be too many; the oldest that is not replayed is what counts. */
const MOST_SAMPLES = 4096;

/**
 * How far a standby is behind, in bytes and in time. The time is the age of the oldest position of the leader that this member has
 * not replayed: 0 when all is replayed, however long ago the last transaction was.
 */
export class LagMeter {
  #samples: Sample[] = [];
  #newest = 0;
  #replayed: number | undefined;

  /** A position that the leader has reached. Milliseconds of a monotonic clock. */
  leaderAt(position: number, now: number): void {
    if (position <= this.#newest) return;
    this.#newest = position;
    if (this.#replayed !== undefined && position <= this.#replayed) return;
    const last = this.#samples.length < MOST_SAMPLES ? undefined : this.#samples.pop();
    this.#samples.push({ position, heardAt: last?.heardAt ?? now });
  }

  /** A position that this member has replayed. */
  replayedUpTo(position: number): void {
    this.#replayed = position;
    const first = this.#samples.findIndex((sample) => sample.position > position);
    this.#samples = first === -1 ? [] : this.#samples.slice(first);
  }

  /** Another timeline or role: what was heard before does not count. */
  reset(): void {
    this.#samples = [];
    this.#newest = 0;
    this.#replayed = undefined;
  }

  /** 0 as long as it is not known what was replayed. */
  bytes(): number {
    return this.#replayed === undefined ? 0 : Math.max(0, this.#newest - this.#replayed);
  }

  seconds(now: number): number {
    const [oldest] = this.#samples;
    return oldest === undefined || this.#replayed === undefined ? 0 : (now - oldest.heardAt) / 1000;
  }
}
