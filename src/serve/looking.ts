import { setTimeout as delay } from "node:timers/promises";

export interface LookingOptions {
  /** Between looks, where nothing calls for one. */
  readonly everyMs: number;
  /** After a look that failed; the pause until the next. */
  pauseAfter(error: unknown): number;
}

/** Looks again and again, never twice at a time: when the time is over, and at once when it is woken. */
export class Looking {
  readonly #look: () => Promise<void>;
  readonly #options: LookingOptions;
  readonly #stopped = new AbortController();
  #woken = new AbortController();
  #running: Promise<void> | undefined;

  constructor(look: () => Promise<void>, options: LookingOptions) {
    this.#look = look;
    this.#options = options;
  }

  /** Looks once, and goes on looking. Resolves after the first look, whatever came of it. */
  async start(): Promise<void> {
    const first = Promise.withResolvers<void>();
    this.#running = this.#run(() => first.resolve());
    await first.promise;
  }

  wake(): void {
    this.#woken.abort();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(onLooked: () => void): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      this.#woken = new AbortController();
      const pauseMs = await this.#look().then(
        () => this.#options.everyMs,
        (error: unknown) => this.#options.pauseAfter(error),
      );
      onLooked();
      const signal = AbortSignal.any([this.#stopped.signal, this.#woken.signal]);
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
