import type { ConfigWatchOptions } from "../config/watch.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { InForce } from "./in-force.ts";

export interface ReloadOptions {
  readonly inForce: InForce;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Called after a new configuration counts. */
  afterwards(): void;
}

/** Takes what the watch of the configuration file reports, and says so in the log and the metrics. */
export function reloading({
  inForce,
  logger,
  metrics,
  afterwards,
}: ReloadOptions): Pick<ConfigWatchOptions, "onConfig" | "onProblems"> {
  metrics.configLoaded.set(1);
  return {
    onConfig(config) {
      const changes = inForce.take(config);
      metrics.configLoaded.set(1);
      metrics.configReloads.inc({ result: "success" });
      logger.level = config.logLevel;
      const changed = changes.filter(({ needsRestart }) => !needsRestart).map(({ key }) => key);
      const needRestart = changes.filter(({ needsRestart }) => needsRestart).map(({ key }) => key);
      logger.info({ changed }, "configuration reloaded");
      if (needRestart.length > 0) {
        logger.warn({ needRestart }, "these keys changed, but count only after a restart");
      }
      afterwards();
    },
    onProblems(problems) {
      metrics.configLoaded.set(0);
      metrics.configReloads.inc({ result: "failure" });
      logger.error({ problems }, "the new configuration is bad; the one before it goes on to count");
    },
  };
}
