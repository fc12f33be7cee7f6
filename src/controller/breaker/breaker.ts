import { SUSPENSIONS_CONFIGMAP } from "../../contract/names.ts";
import type { JsonObject } from "../../json/value.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { PodFacts } from "../facts/pod.ts";
import type { Objects } from "../objects.ts";
import { typeOf } from "../resources.ts";
import { type Memory, type Moment, type SeenPod, step } from "./machine.ts";
import { Steadiness } from "./steadiness.ts";
import { dataOf, readSuspensions, type Suspension } from "./suspension.ts";
import type { SuspensionWatch } from "./watch.ts";

/** How often the sidecars are looked at. Milliseconds. */
const TICK_MS = 1000;

export interface BreakerParts {
  readonly objects: Objects;
  readonly suspensions: SuspensionWatch;
  /** The members of all clusters, each with whether clients are led to it. */
  members(): Iterable<{ readonly pod: PodFacts; readonly isPrimary: boolean }>;
  /** The image that is configured. */
  readonly image: string;
  readonly logger: Logger;
  /** Milliseconds. Default: 1000. */
  readonly tickMs?: number;
  /** Milliseconds of a clock that never jumps. */
  now?(): number;
}

/**
 * The leader's part of the breaker: looks at the sidecars of all namespaces, and writes down where they are suspended. What is
 * written rests on what was read right before, and on its resourceVersion.
 */
export class Breaker {
  readonly #parts: BreakerParts;
  readonly #now: () => number;
  readonly #steadiness = new Steadiness();
  #memories = new Map<string, Memory>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;

  constructor(parts: BreakerParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), this.#parts.tickMs ?? TICK_MS);
  }

  /** Resolves when nothing is written any more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
  }

  /** Looks once; where anything is to be changed, that is begun, unless it was before. */
  look(): void {
    const { suspensions } = this.#parts;
    if (this.#writing !== undefined || !suspensions.synced()) return;
    const byNamespace = this.#see();
    const concerned = [...suspensions.all.keys(), ...byNamespace.keys()];
    const memories = new Map<string, Memory>();
    let isDue = false;
    for (const namespace of new Set(concerned)) {
      const before = suspensions.of(namespace);
      const { suspension, memory } = this.#step(namespace, before, byNamespace.get(namespace) ?? []);
      if (suspension !== undefined) memories.set(namespace, memory);
      isDue ||= suspension !== before;
    }
    if (isDue) this.#write(byNamespace);
    else this.#memories = memories;
  }

  #step(namespace: string, before: Suspension | undefined, pods: readonly SeenPod[]) {
    const { image } = this.#parts;
    const moment: Moment = { image, now: this.#now(), date: new Date().toISOString() };
    return step(before, pods, this.#memories.get(namespace) ?? {}, moment);
  }

  /** Only of namespaces in which something fails or is suspended is more needed than that. */
  #see(): Map<string, SeenPod[]> {
    const members = [...this.#parts.members()];
    const now = this.#now();
    this.#steadiness.see(
      members.map(({ pod }) => pod),
      now,
    );
    const byNamespace = new Map<string, SeenPod[]>();
    for (const { pod, isPrimary } of members) {
      if (pod.ended || pod.terminating) continue;
      const seen = byNamespace.get(pod.namespace) ?? [];
      seen.push(seenPod(pod, isPrimary, this.#steadiness.of(pod.uid, now)));
      byNamespace.set(pod.namespace, seen);
    }
    return byNamespace;
  }

  #write(byNamespace: ReadonlyMap<string, SeenPod[]>): void {
    this.#writing = this.#rewrite(byNamespace)
      .catch((error: unknown) => {
        this.#parts.logger.warn({ error: (error as Error).message }, "suspensions not written: tried again");
      })
      .finally(() => {
        this.#writing = undefined;
      });
  }

  /** Every step is taken anew on what the API server has. */
  async #rewrite(byNamespace: ReadonlyMap<string, SeenPod[]>): Promise<void> {
    const { objects, suspensions } = this.#parts;
    const live = await objects.read("configmaps", suspensions.namespace, SUSPENSIONS_CONFIGMAP);
    const before = readSuspensions(live);
    const after = new Map(before);
    const memories = new Map<string, Memory>();
    for (const namespace of new Set([...before.keys(), ...byNamespace.keys()])) {
      const next = this.#step(namespace, before.get(namespace), byNamespace.get(namespace) ?? []);
      if (next.suspension === undefined) after.delete(namespace);
      else {
        after.set(namespace, next.suspension);
        memories.set(namespace, next.memory);
      }
    }
    const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
      (namespace) => before.get(namespace) !== after.get(namespace),
    );
    if (changed.length > 0) suspensions.take(await this.#store(live, dataOf(after)));
    else suspensions.take(live);
    this.#memories = memories;
    for (const namespace of changed) this.#tell(namespace, after.get(namespace));
  }

  async #store(live: JsonObject | undefined, data: JsonObject): Promise<JsonObject> {
    const { objects, suspensions } = this.#parts;
    if (live !== undefined) return objects.replace("configmaps", { ...typeOf("configmaps"), ...live, data });
    const metadata = { namespace: suspensions.namespace, name: SUSPENSIONS_CONFIGMAP };
    return objects.create("configmaps", { ...typeOf("configmaps"), metadata, data });
  }

  #tell(namespace: string, suspension: Suspension | undefined): void {
    const { logger } = this.#parts;
    if (suspension === undefined) logger.info({ namespace }, "sidecars are no longer suspended");
    else logger.warn({ namespace, ...suspension }, "sidecars are suspended");
  }
}

const seenPod = (
  { name, uid, container, owner }: PodFacts,
  isPrimary: boolean,
  steadyMs: number,
): SeenPod => ({
  name,
  uid,
  image: container?.image,
  health: container?.health ?? "waiting",
  why: container?.why ?? "",
  steadyMs,
  returns: owner?.kind === "StatefulSet",
  isPrimary,
});
