import { setTimeout as delay } from "node:timers/promises";
import type { JsonObject } from "../../json/value.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { metadataOf } from "../facts/slim.ts";
import type { Objects } from "../objects.ts";
import { typeOf } from "../resources.ts";
import { heldBy, LEASE_TIMES, type LeaseTimes, leaseRecord, mayTake, released } from "./lease.ts";

export interface LeadershipOptions {
  readonly namespace: string;
  readonly name: string;
  /** Unlike that of any other process, also of an earlier one in the same pod. */
  readonly identity: string;
  readonly objects: Objects;
  readonly logger: Logger;
  /** Begins the work of the leader; what it gives ends it. */
  lead(): { stop(): Promise<void> };
  readonly times?: LeaseTimes;
}

/**
 * Works while it holds a Lease, until it is stopped. That two work at once for a moment cannot be ruled out (a paused process
 * wakes); it does no harm, for no write rests on being the leader.
 */
export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #times: LeaseTimes;
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  /** The Lease as it was when it last changed, and when we saw that. */
  #seen: { readonly version: unknown; readonly at: number } | undefined;
  #work: { stop(): Promise<void> } | undefined;
  /** Ends the work where no renewal comes in time, whatever a try to renew is waiting for. */
  #watchdog: NodeJS.Timeout | undefined;

  constructor(options: LeadershipOptions) {
    this.#options = options;
    this.#times = options.times ?? LEASE_TIMES;
    this.#running = this.#run();
  }

  get isLeader(): boolean {
    return this.#work !== undefined;
  }

  /** Ends the work, and lets the Lease go. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await this.#round();
      const pauseMs = this.#times.retryMs * (this.isLeader ? 1 : 1 + Math.random() / 5);
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
    const wasLeader = this.isLeader;
    clearTimeout(this.#watchdog);
    await this.#end("stopped");
    if (wasLeader) await this.#release();
  }

  async #round(): Promise<void> {
    const sentAt = performance.now();
    try {
      if (!(await this.#hold())) return await this.#end("another process holds the lease");
      this.#renewed(sentAt);
      if (this.#work !== undefined || this.#stopped.signal.aborted) return;
      this.#options.logger.info({ identity: this.#options.identity }, "leading");
      this.#work = this.#options.lead();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#options.logger.warn({ error: why, leader: this.isLeader }, "lease not renewed");
    }
  }

  /** @param sentAt when the request was sent that renewed: the Lease runs from then on at the latest */
  #renewed(sentAt: number): void {
    clearTimeout(this.#watchdog);
    const leftMs = sentAt + this.#times.deadlineMs - performance.now();
    this.#watchdog = setTimeout(() => void this.#end("the lease was not renewed in time"), leftMs);
  }

  /** @returns whether the Lease is ours now */
  async #hold(): Promise<boolean> {
    const { objects, namespace, name, identity } = this.#options;
    const lease = await objects.read("leases", namespace, name);
    if (lease === undefined) {
      const fresh = { ...typeOf("leases"), metadata: { namespace, name } };
      const made = await objects.create("leases", heldBy(fresh, identity, this.#times, new Date()));
      return leaseRecord(made).holder === identity;
    }
    if (!mayTake(leaseRecord(lease), identity, this.#unchangedForMs(lease))) return false;
    await objects.replace(
      "leases",
      heldBy(lease, identity, this.#times, new Date()),
      this.#times.deadlineMs / 2,
    );
    return true;
  }

  #unchangedForMs(lease: JsonObject): number {
    const version = metadataOf(lease).resourceVersion;
    const now = performance.now();
    if (this.#seen === undefined || this.#seen.version !== version) this.#seen = { version, at: now };
    return now - this.#seen.at;
  }

  async #end(why: string): Promise<void> {
    const work = this.#work;
    if (work === undefined) return;
    this.#work = undefined;
    this.#options.logger.info({ why }, "no longer leading");
    await work.stop();
  }

  async #release(): Promise<void> {
    const { objects, namespace, name, identity, logger } = this.#options;
    try {
      const lease = await objects.read("leases", namespace, name);
      if (lease === undefined || leaseRecord(lease).holder !== identity) return;
      await objects.replace("leases", released(lease, new Date()), this.#times.retryMs);
    } catch (error) {
      logger.warn({ err: error }, "lease not released: it expires by itself");
    }
  }
}
