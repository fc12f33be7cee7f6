import { BackOff } from "../../kube/back-off.ts";
import type { ProbeResult } from "../../patroni/probe.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { PodFacts } from "../facts/pod.ts";
import { isCode, type Objects } from "../objects.ts";
import type { ClusterView, Finding } from "../view.ts";
import { type Evicted, isBack, planRepair, type RepairPlan } from "./plan.ts";

/** Milliseconds. */
const TICK_MS = 5000;

/** What members have answered is good for this long: a process that was paused must not act on it. Milliseconds. */
const FRESH_MS = 5000;

/** After an eviction that was not granted. Milliseconds. */
const REFUSED = { firstPauseMs: 10_000, longestPauseMs: 300_000 };

/**
 * Clusters that are being repaired at the same time. One that has stopped counts: a webhook that does not inject costs this many
 * restarts, and not one for each cluster.
 */
const MOST_AT_ONCE = 4;

export interface RepairParts {
  readonly objects: Objects;
  /** All clusters, by key, as they are now. */
  clusters(): Iterable<readonly [string, ClusterView]>;
  view(key: string): ClusterView | undefined;
  ask(pod: PodFacts): Promise<ProbeResult>;
  found(key: string, view: ClusterView, findings: readonly Finding[]): void;
  /** What became of an eviction. `refused`: a disruption budget does not allow it now. */
  evicted(result: "evicted" | "refused" | "failed"): void;
  readonly logger: Logger;
  /** Milliseconds. Default: 5000. */
  readonly tickMs?: number;
  /** Milliseconds since 1970. */
  now?(): number;
}

interface State {
  readonly backOff: BackOff;
  evicted: Evicted | undefined;
  isBusy: boolean;
  /** Milliseconds of the process's own clock. */
  pausedUntil: number;
}

/** Restarts pods that are not as the webhook would make them now, through the Eviction API, as {@link planRepair} says. */
export class Repairer {
  readonly #parts: RepairParts;
  readonly #states = new Map<string, State>();
  readonly #running = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: RepairParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), this.#parts.tickMs ?? TICK_MS);
  }

  /** Resolves when nothing is asked or evicted any more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.idle();
  }

  /** Resolves when nothing is being asked or evicted. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Looks at every cluster once. */
  look(): void {
    for (const [key, view] of this.#parts.clusters()) this.#lookAt(key, view);
    for (const key of this.#states.keys()) {
      if (this.#parts.view(key) === undefined) this.#states.delete(key);
    }
  }

  #lookAt(key: string, view: ClusterView): void {
    const state = this.#state(key);
    if (state.isBusy) return;
    if (state.evicted !== undefined && isBack(view, state.evicted)) state.evicted = undefined;
    const plan = this.#plan(view, state, undefined);
    const stopped: Finding[] = plan.kind === "stop" ? [{ reason: "repair-stopped", detail: plan.why }] : [];
    this.#parts.found(key, view, stopped);
    const isWelcome = state.evicted !== undefined || this.#underway() < MOST_AT_ONCE;
    if (plan.kind !== "ask" || !isWelcome || performance.now() < state.pausedUntil) return;
    state.isBusy = true;
    const work = this.#repair(key, view, state).finally(() => {
      state.isBusy = false;
      this.#running.delete(work);
    });
    this.#running.add(work);
  }

  #underway(): number {
    return [...this.#states.values()].filter(({ isBusy, evicted }) => isBusy || evicted !== undefined).length;
  }

  #plan(
    view: ClusterView,
    { evicted }: State,
    answers: ReadonlyMap<string, ProbeResult> | undefined,
  ): RepairPlan {
    return planRepair({ view, evicted, answers, now: this.#parts.now?.() ?? Date.now() });
  }

  /** Asks all members, and evicts one where that is due by what they say. Never rejects. */
  async #repair(key: string, asked: ClusterView, state: State): Promise<void> {
    const { logger } = this.#parts;
    const isFresh = AbortSignal.timeout(FRESH_MS);
    const answers = new Map(
      await Promise.all(asked.members.map(async (pod) => [pod.uid, await this.#parts.ask(pod)] as const)),
    );
    const view = this.#parts.view(key);
    const plan = view === undefined ? undefined : this.#plan(view, state, answers);
    if (plan?.kind === "wait") logger.debug({ cluster: key, why: plan.why }, "repair waits");
    if (plan?.kind !== "evict") return;
    const { pod, reason } = plan;
    try {
      if (!(await this.#parts.objects.evict(pod, isFresh))) return;
      state.evicted = { name: pod.name, uid: pod.uid };
      state.backOff.reset();
      logger.info({ cluster: key, pod: pod.name, reason }, "pod evicted: it is to come back as it should be");
      this.#parts.evicted("evicted");
    } catch (error) {
      const pauseMs = state.backOff.next(error);
      state.pausedUntil = performance.now() + pauseMs;
      const about = {
        cluster: key,
        pod: pod.name,
        error: (error as Error).message,
        pauseMs: Math.round(pauseMs),
      };
      logger.warn(about, "pod not evicted");
      this.#parts.evicted(isCode(error, 429) ? "refused" : "failed");
    }
  }

  #state(key: string): State {
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const fresh = { backOff: new BackOff(REFUSED), evicted: undefined, isBusy: false, pausedUntil: 0 };
    this.#states.set(key, fresh);
    return fresh;
  }
}
