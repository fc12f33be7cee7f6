import type { InjectionSettings } from "../injection/settings.ts";
import type { WatchTimes } from "../kube/watch.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { SuspensionWatch } from "./breaker/watch.ts";
import type { Choices } from "./choices.ts";
import type { ControllerSurroundings } from "./reconcile.ts";
import type { ReloadOptions } from "./reload/options.ts";

export interface ControllerOptions {
  readonly settings: InjectionSettings;
  /** Asked at each look at a cluster: it may not be known at the start. */
  openshift(): boolean;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Who we are, in Events. */
  readonly identity: string;
  /** What is known of suspended sidecars; without it none ever is. */
  readonly suspensions?: SuspensionWatch;
  /** What is done about pods that are not injected: `evict` restarts them. Default: nothing. */
  readonly repair?: "none" | "evict";
  /** Where to work. Default: everywhere. */
  readonly namespaces?: readonly string[];
  /** Default: nothing beside what every cluster gets. */
  readonly choices?: Choices;
  /** Default: nothing of them is known. */
  readonly surroundings?: ControllerSurroundings;
  /** Default: reload APIs are not looked after. */
  readonly reload?: ReloadOptions;
  readonly times?: Partial<WatchTimes>;
}
