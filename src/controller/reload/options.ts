import type { KeeperTimes } from "./keeper.ts";
import type { SecretPlace } from "./secret.ts";
import type { WatcherTimes } from "./watcher.ts";

/** What the controller needs to look after reload APIs. */
export interface ReloadOptions {
  /** Where the authorities of their certificates are kept. */
  readonly authorities: SecretPlace;
  /** The controller's own token for the audience of the reload API; without it nobody is asked. */
  token?(): Promise<string>;
  /** The time, as the API server has it. */
  now(): Date;
  /** Default: RELOAD_PORT. */
  readonly port?: number;
  readonly times?: Partial<KeeperTimes & WatcherTimes>;
}
