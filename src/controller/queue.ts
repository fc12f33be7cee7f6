import { BACK_OFF, BackOff, type BackOffTimes } from "../kube/back-off.ts";

export interface QueueOptions {
  /** Does what there is to do for a key; where it rejects, the key is tried again after a pause. */
  work(key: string): Promise<void>;
  onFailure(key: string, error: unknown, pauseMs: number): void;
  readonly workers: number;
  readonly times?: Partial<BackOffTimes>;
}

/**
 * Keys that need work. A key is worked on by one worker at a time; one that is added meanwhile is worked on once more, and one
 * that failed after a pause of its own, which grows. Being added cuts no such pause short.
 */
export class Queue {
  readonly #options: QueueOptions;
  readonly #waiting = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #again = new Set<string>();
  readonly #paused = new Map<string, NodeJS.Timeout>();
  readonly #backOffs = new Map<string, BackOff>();
  readonly #idle: (() => void)[] = [];
  #stopped = false;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  get depth(): number {
    return this.#waiting.size + this.#running.size + this.#paused.size;
  }

  add(key: string): void {
    if (this.#stopped || this.#paused.has(key)) return;
    if (this.#running.has(key)) this.#again.add(key);
    else this.#waiting.add(key);
    this.#start();
  }

  /** Resolves as soon as no key needs work, a failed one included. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.#tellIdle();
    });
  }

  /** Resolves when nothing is worked on any more; what waits is dropped. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting.clear();
    for (const timer of this.#paused.values()) clearTimeout(timer);
    this.#paused.clear();
    await Promise.all(this.#running.values());
  }

  #start(): void {
    for (const key of this.#waiting) {
      if (this.#running.size >= this.#options.workers) return;
      this.#waiting.delete(key);
      this.#running.set(key, this.#work(key));
    }
  }

  async #work(key: string): Promise<void> {
    let failure: { error: unknown } | undefined;
    try {
      await this.#options.work(key);
    } catch (error) {
      failure = { error };
    }
    this.#running.delete(key);
    const isWanted = this.#again.delete(key);
    if (this.#stopped) return;
    if (failure !== undefined) this.#pause(key, failure.error);
    else {
      this.#backOffs.delete(key);
      if (isWanted) this.#waiting.add(key);
    }
    this.#start();
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.depth > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #pause(key: string, error: unknown): void {
    const backOff =
      this.#backOffs.get(key) ?? new BackOff({ ...BACK_OFF, firstPauseMs: 100, ...this.#options.times });
    this.#backOffs.set(key, backOff);
    const pauseMs = backOff.next(error);
    const wake = (): void => {
      this.#paused.delete(key);
      this.add(key);
    };
    this.#paused.set(key, setTimeout(wake, pauseMs));
    this.#options.onFailure(key, error, pauseMs);
  }
}
