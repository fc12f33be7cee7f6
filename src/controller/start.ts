import { isDeepStrictEqual } from "node:util";
import { CONTROLLER_LEASE } from "../contract/names.ts";
import type { InjectionSettings } from "../injection/settings.ts";
import type { KubeConnection } from "../kube/connection.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { SuspensionWatch } from "./breaker/watch.ts";
import type { Choices } from "./choices.ts";
import { Controller } from "./controller.ts";
import { Leadership } from "./leadership/leadership.ts";
import type { LeaseTimes } from "./leadership/lease.ts";
import { Objects } from "./objects.ts";
import type { ReloadOptions } from "./reload/options.ts";

export interface ReplicaOptions {
  /** Where the Lease is. */
  readonly namespace: string;
  /** Unlike that of any other process. */
  readonly identity: string;
  /** Asked each time when this process begins to lead. */
  settings(): InjectionSettings;
  openshift(): boolean;
  readonly suspensions?: SuspensionWatch;
  readonly repair: "none" | "evict";
  readonly choices: Choices;
  /** Where to work. Default: everywhere. */
  readonly namespaces?: readonly string[] | undefined;
  /** The API server's own. Asked at each look at a cluster: they may change. */
  apiServerAddresses(): readonly string[];
  /** Default: reload APIs are not looked after. */
  readonly reload?: ReloadOptions;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly leaseTimes?: LeaseTimes;
}

/** One of several processes of which one reconciles. */
export interface Replica {
  /** Looks at the settings: where they have changed, a leader begins anew with them. */
  reload(): void;
  /** Brings the gauges up to date. */
  measure(): void;
  /** Resolves when nothing is written any more, and the Lease was let go. */
  stop(): Promise<void>;
}

/** A call about the Lease takes no longer. Milliseconds. */
const LEASE_CALL_MS = 5000;

export function startReplica(connection: KubeConnection, options: ReplicaOptions): Replica {
  const { namespace, identity, logger, metrics, leaseTimes } = options;
  let controller: Controller | undefined;
  let inForce: InjectionSettings | undefined;
  const begin = (): Controller => {
    inForce = options.settings();
    const { openshift, suspensions, repair, choices, apiServerAddresses, namespaces, reload } = options;
    const surroundings = { ownNamespace: namespace, apiServerAddresses };
    return new Controller(connection, {
      ...{ settings: inForce, openshift, repair, choices, surroundings, logger, metrics, identity },
      ...(suspensions === undefined ? {} : { suspensions }),
      ...(namespaces === undefined ? {} : { namespaces }),
      ...(reload === undefined ? {} : { reload }),
    });
  };
  const leadership = new Leadership({
    namespace,
    name: CONTROLLER_LEASE,
    identity,
    objects: new Objects(connection, LEASE_CALL_MS),
    logger,
    lead() {
      controller = begin();
      return {
        async stop() {
          const ended = controller;
          controller = undefined;
          await ended?.stop();
        },
      };
    },
    ...(leaseTimes === undefined ? {} : { times: leaseTimes }),
  });
  return {
    reload() {
      const ended = controller;
      if (ended === undefined || isDeepStrictEqual(inForce, options.settings())) return;
      controller = begin();
      void ended.stop();
    },
    measure() {
      metrics.controllerLeader.set(leadership.isLeader ? 1 : 0);
      controller?.measure();
    },
    stop: () => leadership.stop(),
  };
}
