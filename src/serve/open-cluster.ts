import type { Cluster, ClusterOptions } from "./cluster.ts";

/**
 * Connects to the cluster: by kubeconfig, else as the pod that we run in. A kubeconfig that merely lies in the home
 * folder is never used. Without either, `registration.mode: none` gives a webhook that knows nothing of its
 * surroundings and decides carefully; every other mode is an error.
 */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const { kubeconfig, inCluster, registration, logger } = options;
  if (kubeconfig !== undefined || inCluster) {
    const { connectCluster } = await import("./kubernetes.ts");
    return connectCluster(kubeconfig, options);
  }
  if (registration !== "none") throw new Error(NO_CLUSTER);
  logger.warn("no cluster: Services and nodes are unknown, and nothing is registered");
  return UNKNOWN;
}

const NO_CLUSTER =
  "no cluster: serve does not run in a pod, so it needs --kubeconfig (or webhook.registration.mode: none)";

/** What is decided without a cluster: Services are not seen, kubelets are old, nothing is suspended. */
const UNKNOWN: Cluster = {
  surroundings: {
    service: () => undefined,
    nativeSidecars: false,
    openshift: false,
    apiServerAddresses: [],
    suspended: () => false,
  },
  synced: () => true,
  register() {
    throw new Error(NO_CLUSTER);
  },
  control: () => undefined,
  secrets: () => undefined,
  now: () => new Date(),
  stop: () => Promise.resolve(),
};
