import { SUSPENSIONS_CONFIGMAP } from "../../contract/names.ts";
import type { JsonObject } from "../../json/value.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { PodFacts } from "../facts/pod.ts";
import type { PoolerFacts } from "../facts/pooler.ts";
import type { Objects } from "../objects.ts";
import { typeOf } from "../resources.ts";
import { type Memory, type SeenPod, type Step, step } from "./machine.ts";
import { Steadiness } from "./steadiness.ts";
import { dataOf, readSuspensions, type Suspension } from "./suspension.ts";
import type { SuspensionWatch } from "./watch.ts";

/** How often the sidecars are looked at. Milliseconds. */
const TICK_MS = 1000;

/** A pod in which the sidecar is, or should be. */
export type Bearer = PodFacts | PoolerFacts;

export interface BreakerParts {
  readonly objects: Objects;
  readonly suspensions: SuspensionWatch;
  /** Those of all namespaces, as the watches show them. */
  pods(): Iterable<Bearer>;
  /** Those of a namespace, as the API server has them. */
  read(namespace: string): Promise<readonly Bearer[]>;
  /** Clients are led to it. */
  isPrimary(pod: Bearer): boolean;
  /** The image that is configured. */
  readonly image: string;
  readonly logger: Logger;
  /** How often the sidecars are looked at. Milliseconds. Default: 1000. */
  readonly tickMs?: number;
  /** Milliseconds of a clock that is never set. Default: the process's own. */
  now?(): number;
}

/**
 * The leader's part of the breaker: looks at the sidecars of all namespaces, and writes down where they are suspended. Where the
 * watches show something to do, the suspensions and the pods are read anew, and what they say counts.
 */
export class Breaker {
  readonly #parts: BreakerParts;
  readonly #now: () => number;
  readonly #steadiness = new Steadiness();
  readonly #memories = new Map<string, Memory>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #stopped = false;

  constructor(parts: BreakerParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), this.#parts.tickMs ?? TICK_MS);
  }

  /** Resolves when nothing is written any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.idle();
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  /** Looks once; where anything is to be changed, that is begun, unless it was before. */
  look(): void {
    const { suspensions } = this.#parts;
    if (this.#writing !== undefined || !suspensions.synced()) return;
    const pods = [...this.#parts.pods()];
    this.#steadiness.see(pods, this.#now());
    const byNamespace = Map.groupBy(pods, ({ namespace }) => namespace);
    const due = [...new Set([...suspensions.all.keys(), ...byNamespace.keys()])].filter((namespace) => {
      const before = suspensions.of(namespace);
      const { suspension, memory } = this.#step(namespace, before, byNamespace.get(namespace) ?? []);
      if (suspension === before) this.#remember(namespace, suspension, memory);
      return suspension !== before;
    });
    if (due.length > 0) this.#begin(due);
  }

  #step(namespace: string, before: Suspension | undefined, pods: readonly Bearer[]): Step {
    const { image, isPrimary } = this.#parts;
    const now = this.#now();
    const seen = pods
      .filter(({ ended, terminating }) => !ended && !terminating)
      .map((pod) => seenPod(pod, isPrimary(pod), this.#steadiness.of(pod.uid, now)));
    return step(before, seen, this.#memories.get(namespace) ?? {}, {
      image,
      now,
      date: new Date().toISOString(),
    });
  }

  #remember(namespace: string, suspension: Suspension | undefined, memory: Memory): void {
    if (suspension === undefined) this.#memories.delete(namespace);
    else this.#memories.set(namespace, memory);
  }

  #begin(due: readonly string[]): void {
    this.#writing = this.#write(due)
      .catch((error: unknown) => {
        this.#parts.logger.warn({ error: (error as Error).message }, "suspensions not written: tried again");
      })
      .finally(() => {
        this.#writing = undefined;
      });
  }

  async #write(due: readonly string[]): Promise<void> {
    const { objects, suspensions, read } = this.#parts;
    const live = await objects.read("configmaps", suspensions.namespace, SUSPENSIONS_CONFIGMAP);
    const before = readSuspensions(live);
    const after = new Map(before);
    for (const namespace of due) {
      const { suspension, memory } = this.#step(namespace, before.get(namespace), await read(namespace));
      this.#remember(namespace, suspension, memory);
      if (suspension === undefined) after.delete(namespace);
      else after.set(namespace, suspension);
    }
    const changed = due.filter((namespace) => before.get(namespace) !== after.get(namespace));
    if (changed.length === 0 || this.#stopped) return suspensions.take(live);
    suspensions.take(await this.#store(live, dataOf(after)));
    for (const namespace of changed) this.#tell(namespace, suspensions.of(namespace));
  }

  #store(live: JsonObject | undefined, data: JsonObject): Promise<JsonObject> {
    const { objects, suspensions } = this.#parts;
    if (live !== undefined) return objects.replace("configmaps", { ...live, data });
    const metadata = { namespace: suspensions.namespace, name: SUSPENSIONS_CONFIGMAP };
    return objects.create("configmaps", { ...typeOf("configmaps"), metadata, data });
  }

  #tell(namespace: string, suspension: Suspension | undefined): void {
    const { logger } = this.#parts;
    if (suspension === undefined) logger.info({ namespace }, "sidecars are no longer suspended");
    else logger.warn({ namespace, ...suspension }, "sidecars are suspended");
  }
}

const seenPod = ({ name, uid, container, owner }: Bearer, isPrimary: boolean, steadyMs: number): SeenPod => ({
  name,
  uid,
  image: container?.image,
  health: container?.health ?? "waiting",
  why: container?.why ?? "",
  steadyMs,
  returns: owner?.kind === "StatefulSet",
  isPrimary,
});
