import { isPrimaryRole } from "../patroni/status.ts";
import type { Observation } from "../primary/standing.ts";
import { LagMeter } from "./lag.ts";
import type { SidecarMetrics } from "./metrics.ts";

/** What Patroni's answers say of the member, as metrics. */
export class Vitals {
  readonly #metrics: SidecarMetrics;
  readonly #lag = new LagMeter();
  #timeline: number | undefined;

  constructor(metrics: SidecarMetrics) {
    this.#metrics = metrics;
  }

  /** @param endedAt when the answer was there, on the monotonic clock */
  observed(observation: Observation, endedAt: number): void {
    const metrics = this.#metrics;
    const seconds = (endedAt - observation.sentAt) / 1000;
    metrics.add("patroni_polls_total", 1, { outcome: observation.kind });
    metrics.add("patroni_poll_seconds_total", seconds);
    metrics.set("patroni_poll_seconds", seconds);
    if (observation.kind !== "answered") return;
    const { role, timeline, streaming, xlog } = observation.status;
    const isPrimary = isPrimaryRole(role);
    metrics.choose("role", { role: isPrimary ? "primary" : (role ?? "unknown") });
    if (timeline !== undefined) metrics.set("timeline", timeline);
    if (streaming === undefined) metrics.clear("streaming");
    else metrics.set("streaming", streaming ? 1 : 0);
    // Positions of another timeline cannot be compared: what was there before may have been cut off.
    if (isPrimary || (timeline !== undefined && timeline !== this.#timeline)) this.#lag.reset();
    this.#timeline = timeline ?? this.#timeline;
    if (!isPrimary && xlog.received !== undefined) this.#lag.leaderAt(xlog.received, observation.sentAt);
    if (!isPrimary && xlog.replayed !== undefined) this.#lag.replayedUpTo(xlog.replayed);
    metrics.set("replication_lag_bytes", this.#lag.bytes());
    metrics.set("replication_lag_seconds", this.#lag.seconds(endedAt));
  }

  /** @param position the leader's, in bytes, as its leader object says */
  leaderAt(position: number, now: number): void {
    this.#lag.leaderAt(position, now);
  }
}
