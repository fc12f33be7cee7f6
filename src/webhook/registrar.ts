import { setTimeout as delay } from "node:timers/promises";
import type { JsonObject } from "../json/value.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;

export interface RegistrarOptions {
  /** Writes the webhook configuration; rejects where the API server cannot be reached or refuses it. */
  write(desired: JsonObject): Promise<void>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly firstRetryMs?: number;
}

/** Keeps writing the webhook configuration that was asked for last until the API server has it. */
export class Registrar {
  readonly #options: RegistrarOptions;
  readonly #stopped = new AbortController();
  #wanted: JsonObject | undefined;
  #running = false;
  #registered = false;

  constructor(options: RegistrarOptions) {
    this.#options = options;
  }

  /** True once a configuration was written: API servers know where we are. */
  get registered(): boolean {
    return this.#registered;
  }

  /** Returns at once; a failure is logged, counted and tried again. */
  request(desired: JsonObject): void {
    this.#wanted = desired;
    if (!this.#running) void this.#run();
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #run(): Promise<void> {
    this.#running = true;
    let pause = this.#options.firstRetryMs ?? FIRST_RETRY_MS;
    while (this.#wanted !== undefined && !this.#stopped.signal.aborted) {
      const written = await this.#write(this.#wanted);
      if (written) continue;
      await delay(pause, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
      pause = Math.min(2 * pause, LONGEST_RETRY_MS);
    }
    this.#running = false;
  }

  async #write(desired: JsonObject): Promise<boolean> {
    const { write, logger, metrics } = this.#options;
    try {
      await write(desired);
    } catch (error) {
      metrics.registrations.inc({ result: "failure" });
      logger.error({ err: error }, "cannot write the webhook configuration; trying again");
      return false;
    }
    metrics.registrations.inc({ result: "success" });
    logger.info("webhook configuration written");
    this.#registered = true;
    if (this.#wanted === desired) this.#wanted = undefined;
    return true;
  }
}
