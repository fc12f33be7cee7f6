import { connect } from "../kube/connection.ts";
import { applyCaBundle, applyWebhooks } from "../kube/registration.ts";
import { watchSurroundings } from "../kube/surroundings.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Cluster } from "./cluster.ts";

/** The real cluster, by kubeconfig or as the pod that we run in. */
export async function connectCluster(kubeconfig: string | undefined, logger: Logger): Promise<Cluster> {
  const connection = connect(kubeconfig);
  const watched = await watchSurroundings(connection, {
    onInterrupted: (what, err, pauseMs) =>
      logger.warn({ err, what, pauseMs: Math.round(pauseMs) }, "watch interrupted"),
  });
  return {
    surroundings: watched.surroundings,
    synced: watched.synced,
    register: (desired, mode) =>
      mode === "full" ? applyWebhooks(connection, desired) : applyCaBundle(connection, desired),
    stop: watched.stop,
  };
}
