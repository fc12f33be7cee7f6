import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { Turns } from "../webhook/turns.ts";
import { LagVerdict } from "./lag-verdict.ts";

/** How loaded this process is, and what that means for reviews. */
export interface Load {
  /** Where reviews wait to be decided. */
  readonly turns: Turns;
  /** False while this replica would better be passed over. */
  steady(): boolean;
  /** Brings the gauges up to date. */
  measure(): void;
  stop(): void;
}

const LOOK_EVERY_MS = 1000;
/** Each look of the histogram takes this long by itself: no lag. */
const RESOLUTION_MS = 20;

export function watchLoad({ logger, metrics }: { readonly logger: Logger; readonly metrics: Metrics }): Load {
  const turns = new Turns();
  const verdict = new LagVerdict();
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let before = { at: performance.now(), busyMs: 0 };
  const look = (): void => {
    const now = performance.now();
    const { busyMs } = turns;
    const longestMs = delay.count === 0 ? 0 : delay.max / 1e6 - RESOLUTION_MS;
    delay.reset();
    const stalled = verdict.stalls;
    verdict.take({ longestMs, reviewShare: (busyMs - before.busyMs) / (now - before.at), now });
    turns.shorten(verdict.lags);
    before = { at: now, busyMs };
    if (verdict.stalls !== stalled) {
      const message = verdict.stalls ? "the event loop stalls: not ready" : "ready again";
      logger.warn({ longestMs: Math.round(longestMs) }, message);
    }
  };
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  return {
    turns,
    steady: () => !verdict.stalls,
    measure: () => metrics.admissionWaiting.set(turns.waiting),
    stop() {
      clearInterval(timer);
      delay.disable();
    },
  };
}
