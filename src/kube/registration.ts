import { setTimeout as delay } from "node:timers/promises";
import type { Trustee } from "../certificates/served.ts";
import { asString, at, type JsonObject, objectsIn } from "../json/value.ts";
import type { Logger } from "../telemetry/logger.ts";
import { BACK_OFF, BackOff } from "./back-off.ts";
import { requestFor } from "./change-request.ts";
import type { KubeConnection, KubeRequest } from "./connection.ts";
import { type Watcher, type WatchTimes, watchResource } from "./watch.ts";
import {
  type Bundles,
  bundlesIn,
  type Change,
  changeFor,
  isTrusted,
  type RegistrationMode,
  trusteesIn,
  WEBHOOK_CONFIGURATIONS,
} from "./webhook-configuration.ts";

export interface RegistrationOptions {
  readonly mode: RegistrationMode;
  readonly logger: Logger;
  /** Told of every write. */
  onWrite?(result: "success" | "failure"): void;
  /** The configuration was read just now. */
  onSeen?(seen: Seen): void;
  /** As the API server has it: what has expired leaves every `caBundle`. Default: this machine's. */
  now?(): Date;
  readonly times?: Partial<RegistrationTimes>;
}

/** Milliseconds. */
export interface RegistrationTimes extends WatchTimes {
  /** Writes that are this far apart are not a quarrel: the next one is not held back. */
  readonly calmMs: number;
}

/** The configuration as it was last read. */
export interface Seen {
  readonly trustees: readonly Trustee[];
  /** The `caBundle` of every entry that there is, PEM. */
  readonly bundles: readonly string[];
}

export interface Registration {
  /** From now on this is desired; its name stays that of the first. */
  update(desired: JsonObject, bundles?: Bundles): void;
  /** True while every entry of the configuration as last seen holds all our authorities. */
  registered(): boolean;
  /** Reads the configuration now. Rejects where that cannot be. */
  refresh(): Promise<void>;
  /** Resolves when nothing is written any more. The configuration stays. */
  stop(): Promise<void>;
}

const CALM_MS = 60_000;

/**
 * Keeps a MutatingWebhookConfiguration as desired until it is stopped, the whole of it or only each `caBundle`: now, and
 * whenever somebody changes or deletes it. A quarrel with another writer gets slower and slower instead
 * of flooding the API server. Failures are logged and tried again; never rejects.
 *
 * @param desired the whole configuration, whatever the mode; all its entries carry the same `caBundle`
 */
export function registerWebhooks(
  connection: KubeConnection,
  desired: JsonObject,
  options: RegistrationOptions,
): Registration {
  const keeper = new Keeper(connection, desired, options);
  const running = keeper.run();
  return {
    update: (next, bundles) => keeper.update(next, bundles),
    refresh: () => keeper.refresh(),
    registered: () => keeper.registered,
    async stop() {
      await keeper.stop();
      await running;
    },
  };
}

class Keeper {
  readonly #connection: KubeConnection;
  readonly #options: RegistrationOptions;
  readonly #name: string;
  readonly #watcher: Watcher;
  readonly #stopped = new AbortController();
  readonly #failures: BackOff;
  readonly #quarrels: BackOff;
  #desired: JsonObject;
  #bundles: Bundles = {};
  /** Whether the desired state was ever applied: what it no longer names goes only by an apply. */
  #applied = false;
  #live: JsonObject | undefined;
  /** How often it was read. */
  #looks = 0;
  #lastWrite = Number.NEGATIVE_INFINITY;
  #woken = Promise.withResolvers<void>();

  constructor(connection: KubeConnection, desired: JsonObject, options: RegistrationOptions) {
    const { logger, times } = options;
    this.#connection = connection;
    this.#options = options;
    this.#desired = desired;
    this.#name = asString(at(desired, "metadata", "name")) ?? "";
    this.#failures = new BackOff({ ...BACK_OFF, ...times });
    this.#quarrels = new BackOff({ ...BACK_OFF, ...times });
    this.#watcher = watchResource<JsonObject>(connection, {
      path: WEBHOOK_CONFIGURATIONS,
      fieldSelector: this.#selector,
      target: {
        reduce: (object) => object,
        replace: ([object]) => this.#see(object),
        apply: (type, object) => this.#see(type === "DELETED" ? undefined : object),
      },
      onInterrupted: (err, pauseMs) =>
        logger.warn({ err, pauseMs: Math.round(pauseMs) }, "watch of the webhook configuration interrupted"),
      ...(times === undefined ? {} : { times }),
    });
  }

  get #selector(): string {
    return `metadata.name=${this.#name}`;
  }

  get registered(): boolean {
    return isTrusted(this.#options.mode, this.#desired, this.#live);
  }

  update(desired: JsonObject, bundles: Bundles = {}): void {
    this.#bundles = bundles;
    this.#desired = desired;
    this.#applied = false;
    if (this.#looks > 0) this.#tell();
    this.#woken.resolve();
  }

  async refresh(): Promise<void> {
    const before = this.#looks;
    const query = { fieldSelector: this.#selector };
    const { signal } = this.#stopped;
    const { items } = await this.#connection.send({
      method: "GET",
      path: WEBHOOK_CONFIGURATIONS,
      query,
      signal,
    });
    // What the watch saw meanwhile may be newer.
    if (before === this.#looks && !signal.aborted) this.#see(objectsIn(items)[0]);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#woken.resolve();
    await this.#watcher.stop();
  }

  async run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await this.#woken.promise;
      this.#woken = Promise.withResolvers();
      if (this.#looks === 0 || signal.aborted) continue; // the first list wakes us again
      try {
        await this.#reconcile();
        this.#failures.reset();
      } catch (error) {
        if (signal.aborted) return;
        await this.#failed(error);
      }
    }
  }

  #see(live: JsonObject | undefined): void {
    this.#live = live;
    this.#looks++;
    this.#tell();
    this.#woken.resolve();
  }

  #tell(): void {
    const { mode, onSeen } = this.#options;
    onSeen?.({
      trustees: trusteesIn(mode, this.#desired, this.#live),
      bundles: bundlesIn(this.#live),
    });
  }

  async #reconcile(): Promise<void> {
    const { kind } = this.#change();
    if (kind === "absent")
      this.#options.logger.warn({ name: this.#name }, "no webhook is configured: waiting");
    if (kind === "absent" || kind === "none") return;
    await this.#calm();
    const request = requestFor(this.#change(), this.#live); // the pause was long enough for everything to change
    if (request !== undefined && !this.#stopped.signal.aborted) await this.#write(request);
  }

  /** A first write, and one after a quiet time, is made at once. */
  async #calm(): Promise<void> {
    const { calmMs = CALM_MS } = this.#options.times ?? {};
    if (performance.now() - this.#lastWrite > calmMs) this.#quarrels.reset();
    else await this.#pause(this.#quarrels.next());
  }

  async #write(request: Pick<KubeRequest, "contentType" | "body" | "query">): Promise<void> {
    const { mode, logger, onWrite } = this.#options;
    const desired = this.#desired;
    this.#lastWrite = performance.now();
    this.#live = await this.#connection.send({
      ...request,
      method: "PATCH",
      path: `${WEBHOOK_CONFIGURATIONS}/${encodeURIComponent(this.#name)}`,
      signal: this.#stopped.signal,
    });
    this.#tell();
    this.#applied = this.#desired === desired;
    onWrite?.("success");
    logger.info({ name: this.#name, mode }, "webhook configuration written");
  }

  async #failed(err: unknown): Promise<void> {
    const { logger, onWrite } = this.#options;
    const pauseMs = this.#failures.next(err);
    onWrite?.("failure");
    logger.error(
      { err, pauseMs: Math.round(pauseMs) },
      "cannot write the webhook configuration; trying again",
    );
    await this.#pause(pauseMs);
    this.#woken.resolve();
  }

  #change(): Change {
    const { mode, now = () => new Date() } = this.#options;
    return changeFor(mode, this.#desired, this.#live, this.#applied, now(), this.#bundles);
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
  }
}
