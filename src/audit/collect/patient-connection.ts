import { setTimeout as delay } from "node:timers/promises";
import type { KubeConfig } from "@kubernetes/client-node";
import { BackOff, type BackOffTimes } from "../../kube/back-off.ts";
import { KubeConnection, type KubeRequest } from "../../kube/connection.ts";
import { KubeError } from "../../kube/error.ts";
import { AT_ONCE } from "./pool.ts";

/** A server that is too busy is asked again so often; one that does not answer less often, for it may be gone. */
const TRIES = { busy: 6, silent: 3 } as const;

/** Who is silent for longer than this is not asked again: it has been waited for enough. Milliseconds. */
const LONG_SILENCE_MS = 5000;

const PAUSES: BackOffTimes = { firstPauseMs: 200, longestPauseMs: 10_000 };

/** What stands behind the proxy of a pod is no fault of the API server's. */
const OF_POD = /\/pods\/[^/]+\/proxy\//;

type Answer = Awaited<ReturnType<KubeConnection["ask"]>>;

/**
 * A connection for thousands of requests that have time: an API server that asks to come back later (429, or 503 with `Retry-After`) is
 * asked again, and so is one that drops a connection. After many requests in a row without an answer it counts as gone, and the rest
 * fail at once. Requests may be repeated, so only those may be sent that can be.
 */
export class PatientConnection extends KubeConnection {
  readonly #signal: AbortSignal;
  readonly #pauses: BackOffTimes;
  #silentInARow = 0;
  #lost: KubeError | undefined;

  /** @param signal ends every request, running or to come */
  constructor(load: () => KubeConfig, signal: AbortSignal, pauses = PAUSES) {
    super(load);
    this.#signal = signal;
    this.#pauses = pauses;
  }

  /** Why the API server did not answer something, in spite of all patience; undefined where it answered everything. */
  get lost(): string | undefined {
    return this.#lost?.message;
  }

  override async ask(call: KubeRequest): Promise<Answer> {
    const backOff = new BackOff(this.#pauses);
    const signal = call.signal === undefined ? this.#signal : AbortSignal.any([this.#signal, call.signal]);
    for (let tries = 1; ; tries++) {
      this.#signal.throwIfAborted();
      if (this.#lost !== undefined && this.#silentInARow >= AT_ONCE) throw this.#lost;
      const began = performance.now();
      try {
        const answer = await super.ask({ ...call, signal });
        this.#silentInARow = 0;
        return answer;
      } catch (error) {
        if (!(error instanceof KubeError) || signal.aborted || OF_POD.test(call.path)) throw error;
        const isSilent = error.code === 0;
        const isLong = isSilent && performance.now() - began > LONG_SILENCE_MS;
        if (isLong || !isPassing(error) || tries >= TRIES[isSilent ? "silent" : "busy"]) {
          this.#note(error);
          throw error;
        }
        await delay(backOff.next(error), undefined, { signal });
      }
    }
  }

  #note(error: KubeError): void {
    this.#silentInARow = error.code === 0 ? this.#silentInARow + 1 : 0;
    if (error.code === 0) this.#lost ??= error;
  }
}

const isPassing = ({ code, retryAfterSeconds }: KubeError): boolean =>
  code === 0 || code === 429 || (code === 503 && retryAfterSeconds !== undefined);
