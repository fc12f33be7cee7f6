import { SuspensionWatch } from "../controller/breaker/watch.ts";
import { startReplica } from "../controller/start.ts";
import { connect } from "../kube/connection.ts";
import { registerWebhooks } from "../kube/registration.ts";
import { KubeSecrets } from "../kube/secrets.ts";
import { watchSurroundings } from "../kube/surroundings.ts";
import type { Cluster, ClusterOptions } from "./cluster.ts";

/** Connects to a cluster and watches what decisions need of it. */
export async function connectCluster(
  kubeconfig: string | undefined,
  { suspensionsIn, namespaces, logger }: Pick<ClusterOptions, "suspensionsIn" | "namespaces" | "logger">,
): Promise<Cluster> {
  const connection = connect(kubeconfig);
  const onInterrupted = (what: string, error: unknown, pauseMs: number) =>
    logger.warn(
      { what, error: error instanceof Error ? error.message : String(error), pauseMs },
      "watch interrupted",
    );
  const suspensions =
    suspensionsIn === undefined
      ? undefined
      : new SuspensionWatch(connection, {
          namespace: suspensionsIn,
          onInterrupted: (error, pauseMs) => onInterrupted("suspensions", error, pauseMs),
        });
  const watched = watchSurroundings(connection, {
    onInterrupted,
    ...(namespaces === undefined ? {} : { namespaces }),
    suspended: (namespace, pod, image) => suspensions?.suspends(namespace, pod, image) ?? false,
  });
  return {
    surroundings: watched.surroundings,
    synced: () => watched.synced() && (suspensions?.synced() ?? true),
    async stop() {
      await Promise.all([watched.stop(), suspensions?.stop()]);
    },
    secrets: (namespace) => new KubeSecrets(connection, namespace),
    now: () => connection.serverTime() ?? new Date(),
    control: (options) =>
      startReplica(connection, { ...options, ...(suspensions === undefined ? {} : { suspensions }), logger }),
    register: (desired, options) => registerWebhooks(connection, desired, { ...options, logger }),
  };
}
