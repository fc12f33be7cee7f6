/** Milliseconds. */
const TURN_MS = 20;

/** How many may wait unless `shorten` says less. */
const MOST_WAITING = 512;

/** As many as one turn gets done, at about 0.3 ms each, with time to spare. */
const MOST_WAITING_WHEN_SHORT = 32;

interface Waiting {
  readonly job: () => void;
  readonly done: PromiseWithResolvers<boolean>;
}

/**
 * A bounded queue for work that holds the event loop. It is done in turns of at most 20 ms (or one job, where that takes longer);
 * between two turns the event loop gets to everything else, so that health checks are answered and new arrivals learn at once
 * that there is no place. Without that, work would wait unseen in the kernel, and nobody could be sent elsewhere in time.
 *
 * The bound: to decide on a pod of 10 KB takes 0.3 ms of one core (measured), on one of 100 KB 0.6 ms, and to receive and answer it
 * about as much again. So the last of 512 is answered within 0.3 s, and within 3 s where a CPU limit leaves only a tenth of a core:
 * in time for an API server, which waits for 5 s.
 * One API server has no more than 200 changing requests under way unless it was told otherwise (`--max-mutating-requests-inflight`).
 */
export class Turns {
  readonly #waiting: Waiting[] = [];
  readonly #now: () => number;
  #turnBegan: number | undefined;
  #short = false;
  #busyMs = 0;

  /** @param now milliseconds of a monotonic clock */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** True where no further job would be taken. */
  get full(): boolean {
    return this.#waiting.length >= (this.#short ? MOST_WAITING_WHEN_SHORT : MOST_WAITING);
  }

  /** Milliseconds that jobs took, all told. */
  get busyMs(): number {
    return this.#busyMs;
  }

  /** While the event loop lags for whatever reason, no more may wait than one turn gets done. */
  shorten(short: boolean): void {
    this.#short = short;
  }

  /**
   * Does a job at once where this turn has time left and nobody waits, else when its turn comes.
   *
   * @returns false where there was no place: it was not and will not be done. Rejects with what the job throws.
   */
  run(job: () => void): Promise<boolean> {
    const done = Promise.withResolvers<boolean>();
    if (this.#waiting.length === 0 && this.#hasTime()) this.#do({ job, done });
    else if (this.full) done.resolve(false);
    else this.#waiting.push({ job, done });
    return done.promise;
  }

  #hasTime(): boolean {
    return this.#turnBegan === undefined || this.#now() - this.#turnBegan < TURN_MS;
  }

  #do({ job, done }: Waiting): void {
    const began = this.#now();
    if (this.#turnBegan === undefined) {
      this.#turnBegan = began;
      setImmediate(() => this.#next());
    }
    try {
      job();
      done.resolve(true);
    } catch (error) {
      done.reject(error);
    }
    this.#busyMs += this.#now() - began;
  }

  /** The event loop has been to everything else: a new turn. */
  #next(): void {
    this.#turnBegan = undefined;
    while (this.#hasTime()) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#do(next);
    }
  }
}
