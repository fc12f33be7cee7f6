import { asString, at, type JsonObject } from "../json/value.ts";
import { isPrimaryRole } from "../patroni/status.ts";
import { decide } from "../primary/decide.ts";
import type { RoundResult, Tenure, WriterMemory } from "../primary/round.ts";
import { isEndpointOf, type PodIdentity, readSlice } from "../primary/slice.ts";
import { type Observation, type Standing, standingOf } from "../primary/standing.ts";
import { TenureClock } from "../primary/tenure.ts";
import { runRound } from "../primary/writer.ts";
import type { Journal } from "./journal.ts";
import { LagMeter } from "./lag.ts";
import type { SidecarMetrics } from "./metrics.ts";
import type { PatroniClient } from "./patroni.ts";
import { addressOf, type SidecarConfig } from "./settings.ts";
import { ApiProblem, type SliceClient, versionOf } from "./slice-client.ts";

/** Milliseconds between polls of Patroni. */
const FAST_MS = 250;
const SETTLED_MS = 1000;
const LEAVING_MS = 100;
/** It holds the lease and is not a running primary yet, or no more: the moments that count. */
const PROMOTING_MS = 50;

/** The slice is read this often even where the watch says nothing, for watches go silent. Milliseconds, a third is added at random. */
const RESYNC_MS = 60_000;

/** Patroni's default; the leader object says the one in force. Milliseconds. */
const DEFAULT_TTL_MS = 30_000;

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5000;

export interface DiscoveryParts {
  readonly config: SidecarConfig;
  readonly patroni: PatroniClient;
  readonly slices: SliceClient;
  readonly journal: Journal;
  readonly metrics: SidecarMetrics;
}

/** What is known of the slice between rounds, from the watch and from our own reads. */
type SeenSlice =
  | { readonly kind: "unknown" }
  | { readonly kind: "absent" }
  | { readonly kind: "present"; readonly slice: JsonObject };

/**
 * The discovery loop of one member: asks its Patroni, and begins a round of the compare-and-swap where the slice, as far as it is
 * known, is not as it should be. In the steady state it writes nothing.
 */
export class Discovery {
  readonly #parts: DiscoveryParts;
  readonly #memory: WriterMemory = { inDoubt: false };
  readonly #tenure = new TenureClock();
  readonly #lag = new LagMeter();
  #seen: SeenSlice = { kind: "unknown" };
  #addressType = "IPv4";
  #hasLeaderView = false;
  #ttlMs = DEFAULT_TTL_MS;
  #wasHealthy = false;
  #becamePrimaryAt: number | undefined;
  #nextRoundAt = 0;
  #nextResyncAt = 0;
  #retryMs = FIRST_RETRY_MS;
  #wake: () => void = () => undefined;

  constructor(parts: DiscoveryParts) {
    this.#parts = parts;
  }

  /** The watch of the slice. */
  sliceSeen(slice: JsonObject | undefined): void {
    const isOurOwn = this.#seen.kind === "present" && versionOf(this.#seen.slice) === versionOf(slice);
    this.#take(slice);
    if (!isOurOwn) this.#hurry();
  }

  /** The watch of the leader object. */
  leaderSeen(object: JsonObject | undefined): void {
    const annotation = (key: string) => asString(at(object ?? null, "metadata", "annotations", key));
    this.#hasLeaderView = true;
    this.#tenure.seen(annotation("leader") || undefined, performance.now());
    const ttl = Number(annotation("ttl"));
    if (ttl > 0) this.#ttlMs = ttl * 1000;
    const position = Number(annotation("optime"));
    if (position > 0) this.#lag.leaderAt(position, performance.now());
    this.#hurry();
  }

  leaderLost(): void {
    this.#hasLeaderView = false;
    this.#tenure.broken();
  }

  /** Runs until `stop`, then on while this member may still have to be withdrawn. */
  async run(stop: AbortSignal): Promise<void> {
    stop.addEventListener("abort", () => this.#hurry(), { once: true });
    for (;;) {
      const observation = await this.#ask();
      if (observation !== undefined) {
        const standing = standingOf(observation);
        this.#note(observation, standing);
        if (this.#mustAct(standing)) await this.#round();
        if (stop.aborted && !this.#isPublished()) return;
        await this.#pause(this.#pollMs(observation, standing, stop.aborted));
      } else {
        if (stop.aborted && !this.#isPublished()) return;
        await this.#pause(stop.aborted ? LEAVING_MS : SETTLED_MS);
      }
    }
  }

  /** Until PostgreSQL runs for the first time there is nothing to publish; what was published before may have to go. */
  async #ask(): Promise<Observation | undefined> {
    const { patroni, journal } = this.#parts;
    if (!this.#wasHealthy) {
      const health = await this.#timed(() => patroni.observe("/health"));
      this.#wasHealthy = health.kind === "answered" && health.status.code === 200;
      if (!this.#wasHealthy) {
        journal.waiting(health, performance.now());
        return standingOf(health).kind === "lost" && health.kind === "refused" ? health : undefined;
      }
    }
    const observation = await this.#timed(() => patroni.observe("/primary"));
    journal.observed(observation, performance.now());
    return observation;
  }

  async #timed(ask: () => Promise<Observation>): Promise<Observation> {
    const observation = await ask();
    const { metrics } = this.#parts;
    metrics.add("patroni_polls_total", 1, `outcome="${observation.kind}"`);
    metrics.add("patroni_poll_seconds_total", (performance.now() - observation.sentAt) / 1000);
    return observation;
  }

  #note(observation: Observation, standing: Standing): void {
    if (standing.kind !== "primary") this.#becamePrimaryAt = undefined;
    else this.#becamePrimaryAt ??= observation.sentAt;
    if (observation.kind !== "answered") return;
    const { metrics } = this.#parts;
    const { role, timeline, xlog } = observation.status;
    metrics.choose("role", `role="${isPrimaryRole(role) ? "primary" : (role ?? "unknown")}"`);
    if (timeline !== undefined) metrics.set("timeline", timeline);
    if (standing.kind === "primary") this.#lag.reset();
    if (xlog.received !== undefined) this.#lag.leaderAt(xlog.received, observation.sentAt);
    if (xlog.replayed !== undefined) this.#lag.replayedUpTo(xlog.replayed);
    metrics.set("replication_lag_bytes", this.#lag.bytes());
    metrics.set("replication_lag_seconds", this.#lag.seconds(performance.now()));
  }

  /** A round is due where the known slice is not as it should be, where it is not known, and now and then in any case. */
  #mustAct(standing: Standing): boolean {
    const now = performance.now();
    if (now < this.#nextRoundAt) return false;
    if (this.#memory.inDoubt || this.#seen.kind === "unknown" || now >= this.#nextResyncAt) return true;
    const pod = this.#pod();
    if (this.#seen.kind === "absent" || pod === undefined) return false;
    const slice = readSlice(this.#seen.slice);
    const verdict = decide({ pod, slice, standing, mustProve: false, ...this.#tenureNow() });
    return verdict.kind !== "rest";
  }

  async #round(): Promise<void> {
    const { patroni, slices, journal, metrics } = this.#parts;
    const pod = this.#pod();
    if (pod === undefined) return;
    const result = await runRound(pod, this.#memory, () => this.#tenureNow(), {
      read: async () => {
        const reply = await slices.read();
        if (reply.kind === "slice") this.#take(reply.slice);
        if (reply.kind === "absent") this.#take(undefined);
        return reply;
      },
      observe: () => this.#timed(() => patroni.observe("/primary")),
      write: async (slice) => {
        const reply = await slices.write(slice);
        // The resourceVersion of what was written is not known here; the watch, or the next read, tells it.
        if (reply.kind === "written") this.#take(slice);
        return reply;
      },
      now: () => performance.now(),
    });
    this.#after(result, pod.address);
    journal.round(result, pod.address, this.#tookMs(), performance.now());
    metrics.add("rounds_total", 1, `result="${result.kind}"`);
    metrics.set("published", this.#isPublished() ? 1 : 0);
  }

  #after(result: RoundResult, address: string): void {
    const now = performance.now();
    if (result.kind === "failed" || (result.kind === "rested" && result.verdict.kind === "term-refused")) {
      const error = result.kind === "failed" ? result.error : undefined;
      const asked = error instanceof ApiProblem ? error.retryAfterMs : 0;
      this.#nextRoundAt = now + Math.max(asked, this.#retryMs * (0.5 + Math.random() / 2));
      this.#retryMs = Math.min(2 * this.#retryMs, LONGEST_RETRY_MS);
      return;
    }
    this.#retryMs = FIRST_RETRY_MS;
    this.#nextRoundAt = result.kind === "no-slice" ? now + FAST_MS : 0;
    this.#nextResyncAt = now + RESYNC_MS * (1 + Math.random() / 3);
    if (result.kind === "wrote" && result.verdict.kind === "publish" && address !== "") {
      this.#parts.metrics.observePublication(this.#tookMs() / 1000);
    }
  }

  #tookMs(): number {
    return performance.now() - (this.#becamePrimaryAt ?? performance.now());
  }

  #take(slice: JsonObject | undefined): void {
    this.#seen = slice === undefined ? { kind: "absent" } : { kind: "present", slice };
    this.#addressType = asString(slice?.addressType) ?? this.#addressType;
    this.#parts.metrics.set("published", this.#isPublished() ? 1 : 0);
  }

  #isPublished(): boolean {
    const pod = this.#pod();
    if (this.#seen.kind !== "present" || pod === undefined) return false;
    return readSlice(this.#seen.slice).endpoints.some((endpoint) => isEndpointOf(endpoint, pod));
  }

  #pod(): PodIdentity | undefined {
    const address = addressOf(this.#parts.config, this.#addressType);
    return address === undefined ? undefined : { ...this.#parts.config.pod, address };
  }

  #tenureNow(): Tenure {
    return {
      namedForMs: this.#tenure.namedForMs(this.#parts.config.pod.name, performance.now()),
      ttlMs: this.#ttlMs,
    };
  }

  #pollMs(observation: Observation, standing: Standing, leaving: boolean): number {
    if (leaving) return LEAVING_MS;
    if (observation.kind !== "answered") return FAST_MS;
    const { code, unlocked } = observation.status;
    if (code === 200 && standing.kind !== "primary") return PROMOTING_MS;
    const isSettledReplica =
      code === 503 && !unlocked && this.#hasLeaderView && !this.#isPublished() && !this.#memory.inDoubt;
    return isSettledReplica ? SETTLED_MS : FAST_MS;
  }

  #hurry(): void {
    this.#nextRoundAt = Math.min(this.#nextRoundAt, performance.now());
    this.#wake();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
