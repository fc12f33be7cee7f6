import type { ReloadComponent } from "../../contract/reload.ts";
import type { Log } from "../log.ts";
import type { SidecarMetrics } from "../metrics.ts";
import type { HttpAnswer } from "./http/answers.ts";
import type { Outcome } from "./outcome.ts";
import type { VersionReading } from "./versions/source.ts";

/** What a reload says: log lines and metrics. */
export class ReloadReport {
  readonly #log: Log;
  readonly #metrics: SidecarMetrics;

  constructor(log: Log, metrics: SidecarMetrics) {
    this.#log = log;
    this.#metrics = metrics;
  }

  version(component: ReloadComponent, reading: VersionReading): void {
    const labels = { component };
    if (reading.kind === "none") {
      this.#metrics.clear("materialised_version", labels);
      this.#log.info("no version of the configuration is in the pod", { component, why: reading.why });
      return;
    }
    this.#metrics.set("materialised_version", reading.version, labels);
    this.#log.info("a version of the configuration is in the pod", { component, version: reading.version });
  }

  reload(component: ReloadComponent, version: number, outcome: Outcome | undefined, tookMs: number): void {
    const result =
      outcome === undefined ? "disturbed" : outcome.kind === "proven" ? "proven" : outcome.failure.problem;
    this.#metrics.add("reloads_total", 1, { component, result });
    this.#metrics.add("reload_seconds_total", tookMs / 1000, { component });
    const facts = { component, version, tookMs: Math.round(tookMs) };
    if (outcome?.kind === "proven") {
      this.#metrics.set("applied_version", version, { component });
      this.#log.info("reloaded", { ...facts, ...outcome.success });
    } else if (outcome?.kind === "failed") this.#log.warn("not reloaded", { ...facts, ...outcome.failure });
    else this.#log.info("the version changed during the reload", facts);
  }

  reconnected(primary: string, problem: string | undefined): void {
    this.#metrics.add("reconnects_total", 1, { result: problem === undefined ? "done" : "failed" });
    if (problem === undefined)
      this.#log.info("PgBouncer reconnects, for another primary is published", { primary });
    else this.#log.warn("PgBouncer cannot be told to reconnect", { primary, problem });
  }

  answer(component: ReloadComponent, caller: string, answer: HttpAnswer | undefined, tookMs: number): void {
    const status = answer?.status ?? 0;
    this.#metrics.add("reload_calls_total", 1, { component, status: String(status) });
    this.#metrics.add("reload_wait_seconds_total", tookMs / 1000, { component });
    this.#log.info("answered a call to reload", { component, caller, status, tookMs: Math.round(tookMs) });
  }
}
