import type { JsonObject } from "../json/value.ts";
import { decide, type Verdict } from "../primary/decide.ts";
import type { ReadReply, RoundResult, Tenure, WriterMemory } from "../primary/round.ts";
import type { PodIdentity } from "../primary/slice.ts";
import { type Observation, type Standing, standingOf } from "../primary/standing.ts";
import { runRound, type WriterWorld } from "../primary/writer.ts";
import { Alarm } from "./alarm.ts";
import { ApiProblem } from "./api-object.ts";
import { BackOff } from "./back-off.ts";
import type { Journal } from "./journal.ts";
import { LeaderView } from "./leader-view.ts";
import type { SidecarMetrics } from "./metrics.ts";
import { isChanging, LEAVING_MS, pollMs, SETTLED_MS } from "./pace.ts";
import type { PatroniClient } from "./patroni.ts";
import type { SidecarConfig } from "./settings.ts";
import type { SliceClient } from "./slice-client.ts";
import { SliceView } from "./slice-view.ts";
import { Vitals } from "./vitals.ts";

export interface DiscoveryParts {
  readonly config: SidecarConfig;
  readonly patroni: PatroniClient;
  readonly slices: SliceClient;
  readonly journal: Journal;
  readonly metrics: SidecarMetrics;
}

/**
 * The discovery loop of one member: asks its Patroni, and begins a round of the compare-and-swap where the slice, as far as it is
 * known, is not as it should be. In the steady state it writes nothing.
 */
export class Discovery {
  readonly #parts: DiscoveryParts;
  readonly #memory: WriterMemory = { inDoubt: false };
  readonly #slice: SliceView;
  readonly #leader = new LeaderView();
  readonly #vitals: Vitals;
  readonly #backOff = new BackOff();
  readonly #alarm = new Alarm();
  #wasHealthy = false;
  /** This member's name in Patroni. */
  #name: string;
  /** Since when a publication is due that has not been made. */
  #dueSince: number | undefined;
  #changingSince: number | undefined;
  #turnedAt = performance.now();

  constructor(parts: DiscoveryParts) {
    this.#parts = parts;
    this.#slice = new SliceView(parts.config);
    this.#vitals = new Vitals(parts.metrics);
    this.#name = parts.config.pod.name;
  }

  /** For how long the loop has not come round. Milliseconds. */
  get stillForMs(): number {
    return performance.now() - this.#turnedAt;
  }

  /** The watch of the slice. */
  sliceSeen(slice: JsonObject | undefined): void {
    this.#parts.journal.watchHeard("slice");
    if (!this.#slice.heard(slice)) return;
    this.#showPublished();
    this.#hurry();
  }

  sliceLost(problem: Error): void {
    this.#slice.interrupted(performance.now());
    this.#parts.journal.watchBroken("slice", problem, performance.now());
  }

  /** The watch of the leader object. */
  leaderSeen(object: JsonObject | undefined): void {
    const now = performance.now();
    this.#parts.journal.watchHeard("leader object");
    const position = this.#leader.heard(object, now);
    if (position !== undefined) this.#vitals.leaderAt(position, now);
    this.#hurry();
  }

  leaderLost(problem: Error): void {
    this.#leader.interrupted();
    this.#parts.journal.watchBroken("leader object", problem, performance.now());
  }

  /** Runs until `stop`, then on while this member may still have to be withdrawn. */
  async run(stop: AbortSignal): Promise<void> {
    stop.addEventListener("abort", () => this.#alarm.ring(), { once: true });
    for (;;) {
      this.#turnedAt = performance.now();
      this.#alarm.clear();
      const observation = await this.#ask();
      const pauseMs = observation === undefined ? SETTLED_MS : await this.#turn(observation);
      if (stop.aborted && !this.#isInvolved) return;
      await this.#alarm.sleep(stop.aborted ? LEAVING_MS : pauseMs);
    }
  }

  /** Until PostgreSQL has run there is nothing to publish; an address that stands there may have to go all the same. */
  async #ask(): Promise<Observation | undefined> {
    const { patroni, journal } = this.#parts;
    if (!this.#wasHealthy && !this.#isInvolved) {
      const health = await this.#timed(() => patroni.observe("/health"));
      this.#wasHealthy = health.kind === "answered" && health.status.code === 200;
      if (!this.#wasHealthy) {
        journal.waiting(health, performance.now());
        return undefined;
      }
    }
    return this.#timed(() => patroni.observe("/primary"));
  }

  /** @returns how long to wait before the next */
  async #turn(observation: Observation): Promise<number> {
    const standing = standingOf(observation);
    this.#note(observation, standing);
    const verdict = this.#verdict(standing);
    if (standing.kind !== "primary" || verdict?.kind === "rest") this.#dueSince = undefined;
    else this.#dueSince ??= observation.sentAt;
    // Where Kubernetes is the DCS, its watch tells who leads; with any other only Patroni does, and it is asked when that matters.
    const { config, patroni } = this.#parts;
    if (verdict?.kind === "term-refused" && config.leaderObject === undefined)
      await this.#leader.ask(patroni);
    if (this.#isRoundDue(verdict)) await this.#round();
    return pollMs({
      observation,
      standing,
      leaving: false,
      leaderIsWatched: this.#leader.isWatched,
      named: this.#leader.names(this.#name),
      involved: this.#isInvolved,
      changingForMs: performance.now() - (this.#changingSince ?? performance.now()),
    });
  }

  async #timed(ask: () => Promise<Observation>): Promise<Observation> {
    const observation = await ask();
    this.#vitals.observed(observation, performance.now());
    return observation;
  }

  #note(observation: Observation, standing: Standing): void {
    const now = performance.now();
    this.#parts.journal.observed(observation, standing, this.#slice.showsUs, now);
    if (observation.kind === "answered") this.#name = observation.status.name ?? this.#name;
    const changing = isChanging({ observation, standing, named: this.#leader.names(this.#name) });
    this.#changingSince = changing ? (this.#changingSince ?? now) : undefined;
  }

  /** By the slice as far as it is known; undefined where it is not. */
  #verdict(standing: Standing): Verdict | undefined {
    const { pod, state } = this.#slice;
    if (pod === undefined || state === undefined) return undefined;
    return decide({ pod, slice: state, standing, mustProve: this.#slice.isUnproven, ...this.#tenure() });
  }

  /** Where the known slice is not as it should be, where it is not known, and now and then in any case. */
  #isRoundDue(verdict: Verdict | undefined): boolean {
    const now = performance.now();
    if (!this.#backOff.isDue(now)) return false;
    return this.#memory.inDoubt || this.#slice.isDue(now) || (verdict?.kind ?? "rest") !== "rest";
  }

  async #round(): Promise<void> {
    const { journal, metrics } = this.#parts;
    const startedAt = performance.now();
    // Which of its addresses the pod is to be published with depends on the slice.
    if (this.#slice.addressType === undefined) await this.#read();
    const { pod, isUnproven } = this.#slice;
    if (pod === undefined) {
      this.#slice.settled(startedAt);
      journal.noAddress(this.#slice.addressType ?? "known", startedAt);
      return;
    }
    const tenure = () => this.#tenure();
    const result = await runRound(pod, this.#memory, tenure, this.#world(pod), isUnproven);
    const now = performance.now();
    const tookMs = now - (this.#dueSince ?? startedAt);
    this.#settle(result, now);
    journal.round(result, pod.address, tookMs, now);
    metrics.add("rounds_total", 1, { result: result.kind });
    if (result.kind !== "wrote" || result.verdict.kind !== "publish") return;
    metrics.observePublication(tookMs / 1000);
    this.#dueSince = undefined;
  }

  #world(pod: PodIdentity): WriterWorld {
    const { slices, patroni } = this.#parts;
    return {
      read: async () => {
        const reply = await this.#read();
        // A slice that was made anew may be of another family.
        if (reply.kind === "slice" && this.#slice.pod?.address !== pod.address)
          return { kind: "failed", error: new Error("the slice is of another address family now") };
        return reply;
      },
      observe: () => this.#timed(() => patroni.observe("/primary")),
      write: (slice, notAfter) => slices.write(slice, notAfter, (stored) => this.#take(stored)),
      now: () => performance.now(),
    };
  }

  async #read(): Promise<ReadReply> {
    const reply = await this.#parts.slices.read();
    if (reply.kind !== "failed") this.#take(reply.kind === "slice" ? reply.slice : undefined);
    return reply;
  }

  #take(slice: JsonObject | undefined): void {
    this.#slice.take(slice);
    this.#showPublished();
  }

  #settle(result: RoundResult, now: number): void {
    if (result.kind === "failed") {
      this.#backOff.failed(now, result.error instanceof ApiProblem ? result.error.retryAfterMs : 0);
      return;
    }
    this.#slice.settled(now);
    if (result.kind === "rested" && result.verdict.kind === "term-refused") this.#backOff.failed(now);
    else this.#backOff.succeeded();
  }

  #tenure(): Tenure {
    return this.#leader.tenureOf(this.#name);
  }

  /** This member stands in the slice, or a write of ours may still land there. */
  get #isInvolved(): boolean {
    return this.#slice.showsUs || this.#memory.inDoubt;
  }

  #showPublished(): void {
    this.#parts.metrics.set("published", this.#slice.showsUs ? 1 : 0);
  }

  #hurry(): void {
    this.#backOff.hurry();
    this.#alarm.ring();
  }
}
