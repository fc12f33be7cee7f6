import type { RoundResult } from "../primary/round.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { PodFacts } from "./facts/pod.ts";
import type { ResourceName } from "./resources.ts";

/** What became of an object that may be of no use any more. */
export type Pruned = "remove" | "mark" | "unmark";

const PRUNED: Readonly<Record<Pruned, string>> = {
  remove: "removed: nothing needs it any more",
  mark: "unused: to be removed in a day",
  unmark: "used again",
};

/** What the log and the metrics say of the controller's work. */
export class Journal {
  readonly #logger: Logger;
  readonly #metrics: Metrics;

  constructor(logger: Logger, metrics: Metrics) {
    this.#logger = logger;
    this.#metrics = metrics;
  }

  /** Everything was read. @param worked resolves when all clusters were looked at */
  started(clusters: number, worked: Promise<void>): void {
    const began = performance.now();
    this.#logger.info({ clusters }, "controller started");
    void worked.then(() => {
      const seconds = Math.round(performance.now() - began) / 1000;
      this.#logger.info({ clusters, seconds }, "all clusters are as they should be");
    });
  }

  interrupted(resource: ResourceName, error: unknown, pauseMs: number): void {
    const pause = Math.round(pauseMs);
    this.#logger.warn({ resource, error: textOf(error), pauseMs: pause }, "watch interrupted");
  }

  reconciled(): void {
    this.#metrics.controllerReconciles.inc({ result: "success" });
  }

  failed(cluster: string, error: unknown, pauseMs: number): void {
    this.#metrics.controllerReconciles.inc({ result: "failure" });
    const pause = Math.round(pauseMs);
    this.#logger.warn({ cluster, error: textOf(error), pauseMs: pause }, "cluster not as it should be yet");
  }

  pruned(cluster: string, what: Pruned, object: string): void {
    this.#logger.info({ cluster, object }, PRUNED[what]);
  }

  /** Counts what a member answers. */
  async asked<Result extends { kind: string }>(asking: Promise<Result>): Promise<Result> {
    const result = await asking;
    this.#metrics.controllerObservations.inc({ outcome: result.kind });
    return result;
  }

  /** Counts what a member's reload API answers. */
  async looked<Result extends { kind: string }>(asking: Promise<Result>): Promise<Result> {
    const result = await asking;
    this.#metrics.controllerReloadLooks.inc({ outcome: result.kind });
    return result;
  }

  evicted(result: "evicted" | "refused" | "failed"): void {
    this.#metrics.evictions.inc({ result });
  }

  /** A round at the slice, for a member. */
  wrote(cluster: string, pod: PodFacts, result: RoundResult): void {
    const about = { cluster, pod: pod.name };
    if (result.kind === "failed") {
      const { during, error } = result;
      this.#logger.warn({ ...about, during, error: textOf(error) }, "cannot keep the slice");
    }
    if (result.kind !== "wrote" || result.verdict.kind === "rest") return;
    this.#metrics.controllerPublications.inc({ kind: result.verdict.kind });
    this.#logger.info({ ...about, ...result.verdict }, "slice written for a member");
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
