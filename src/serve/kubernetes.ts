import { startReplica } from "../controller/start.ts";
import { connect } from "../kube/connection.ts";
import { registerWebhooks } from "../kube/registration.ts";
import { KubeSecrets } from "../kube/secrets.ts";
import { watchSurroundings } from "../kube/surroundings.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Cluster } from "./cluster.ts";

/** Connects to a cluster and watches what decisions need of it. */
export async function connectCluster(kubeconfig: string | undefined, logger: Logger): Promise<Cluster> {
  const connection = connect(kubeconfig);
  const { surroundings, synced, stop } = watchSurroundings(connection, {
    onInterrupted: (what, error, pauseMs) =>
      logger.warn(
        { what, error: error instanceof Error ? error.message : String(error), pauseMs },
        "watch interrupted",
      ),
  });
  return {
    surroundings,
    synced,
    stop,
    secrets: (namespace) => new KubeSecrets(connection, namespace),
    now: () => connection.serverTime() ?? new Date(),
    control: (options) => startReplica(connection, { ...options, logger }),
    register: (desired, options) => registerWebhooks(connection, desired, { ...options, logger }),
  };
}
