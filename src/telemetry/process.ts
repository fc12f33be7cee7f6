import { monitorEventLoopDelay } from "node:perf_hooks";
import { VERSION } from "../contract/version.ts";
import type { Metrics } from "./metrics.ts";

const NANOSECONDS = 1e9;
const MICROSECONDS = 1e6;
/** How often the event loop is looked at. Each look takes this long by itself, so it is no lag. */
const RESOLUTION_MS = 20;

/**
 * Watches this process and returns a function that brings the process's metrics up to date; call it before each
 * scrape. `stop` ends the watching.
 */
export function observeProcess(metrics: Metrics): { update(): void; stop(): void } {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let counted = 0;
  metrics.buildInfo.set({ version: VERSION, node_version: process.versions.node }, 1);
  metrics.startTime.set(performance.timeOrigin / 1000);
  return {
    update() {
      const { user, system } = process.cpuUsage();
      metrics.cpuSeconds.inc((user + system) / MICROSECONDS - counted);
      counted = (user + system) / MICROSECONDS;
      metrics.residentMemory.set(process.memoryUsage.rss());
      const longest = delay.count === 0 ? 0 : delay.max / NANOSECONDS - RESOLUTION_MS / 1000;
      metrics.eventLoopLag.set(Math.max(0, longest));
      delay.reset();
    },
    stop: () => void delay.disable(),
  };
}
