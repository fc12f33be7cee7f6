import type { ReloadComponent } from "../../contract/reload.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { eventOf } from "../event.ts";
import type { Objects } from "../objects.ts";
import type { Look, ServingPod } from "./asker.ts";
import { type Failure, inWords, newsIn } from "./failures.ts";

/** Milliseconds. */
export interface WatcherTimes {
  readonly tickMs: number;
  /** Between two looks at one pod. */
  readonly everyMs: number;
}

export const WATCHER_TIMES: WatcherTimes = { tickMs: 1000, everyMs: 30_000 };

/** Pods that are asked at the same time. */
const MOST_AT_ONCE = 32;

export interface WatcherParts {
  readonly objects: Pick<Objects, "create">;
  /** The pods that serve a reload API, as they are now. */
  pods(): Iterable<ServingPod>;
  ask(pod: ServingPod): Promise<Look>;
  readonly identity: string;
  readonly logger: Logger;
  readonly times: WatcherTimes;
}

interface State {
  dueAt: number;
  /** When the failure was that was told last. */
  readonly told: Map<ReloadComponent, string>;
}

/** Looks at every reload API again and again, and tells of each failure once: in an Event on the pod. */
export class ReloadWatcher {
  readonly #parts: WatcherParts;
  /** By the pod's uid. */
  readonly #states = new Map<string, State>();
  readonly #running = new Map<string, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: WatcherParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), this.#parts.times.tickMs);
  }

  /** Resolves when nothing is asked or written any more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#running.values());
  }

  /** Asks those whose time has come. */
  look(): void {
    const now = performance.now();
    const present = new Set<string>();
    for (const pod of this.#parts.pods()) {
      present.add(pod.uid);
      const state = this.#stateOf(pod.uid, now);
      if (now < state.dueAt || this.#running.has(pod.uid) || this.#running.size >= MOST_AT_ONCE) continue;
      state.dueAt = now + this.#parts.times.everyMs;
      const work = this.#lookAt(pod, state.told).finally(() => this.#running.delete(pod.uid));
      this.#running.set(pod.uid, work);
    }
    for (const uid of this.#states.keys()) if (!present.has(uid)) this.#states.delete(uid);
  }

  /** The first look comes at any time within the interval: pods of a large cluster are not all asked at once. */
  #stateOf(uid: string, now: number): State {
    const known = this.#states.get(uid);
    if (known !== undefined) return known;
    const fresh = { dueAt: now + Math.random() * this.#parts.times.everyMs, told: new Map() };
    this.#states.set(uid, fresh);
    return fresh;
  }

  /** Never rejects: one that could not be told is told with the next look. */
  async #lookAt(pod: ServingPod, told: State["told"]): Promise<void> {
    const { ask, logger } = this.#parts;
    const about = { pod: `${pod.namespace}/${pod.name}` };
    const look = await ask(pod);
    if (look.kind === "silent") return logger.debug({ ...about, why: look.why }, "no word of reloads");
    for (const failure of newsIn(look.failures, told, Date.now())) {
      try {
        await this.#tell(pod, failure);
        told.set(failure.component, failure.at);
      } catch (error) {
        logger.warn({ ...about, error: (error as Error).message }, "event not written");
      }
    }
  }

  /** The same failure has the same name, whoever tells it: another controller's Event is found, and left as it is. */
  async #tell({ namespace, name, uid }: ServingPod, failure: Failure): Promise<void> {
    const { objects, identity, logger } = this.#parts;
    const detail = inWords(failure);
    const regarding = { apiVersion: "v1", kind: "Pod", namespace, name, uid };
    const key = `${failure.component} ${failure.at}`;
    await objects.create(
      "events",
      eventOf({ reason: "reload-failed", detail }, regarding, identity, new Date(), key),
    );
    logger.info({ pod: `${namespace}/${name}`, reason: "reload-failed", detail }, "finding");
  }
}
