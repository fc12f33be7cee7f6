import { type ServiceFacts, type Surroundings, serviceFacts } from "../injection/settings.ts";
import { asString, at, type JsonObject, objectsIn } from "../json/value.ts";
import { Collection } from "./collection.ts";
import type { KubeConnection } from "./connection.ts";
import { allRunNativeSidecars, type KubeletFacts, kubeletFacts } from "./kubelets.ts";
import { type WatchTimes, watchResource } from "./watch.ts";

export interface SurroundingsOptions {
  onInterrupted(what: string, error: unknown, pauseMs: number): void;
  /** Namespaces whose sidecars are suspended; without it none is. */
  readonly suspended?: (namespace: string) => boolean;
  readonly times?: Partial<WatchTimes>;
}

export interface WatchedSurroundings {
  readonly surroundings: Surroundings;
  /** True once Services and nodes were read. */
  synced(): boolean;
  stop(): Promise<void>;
}

interface KnownService {
  readonly facts: ServiceFacts;
  readonly clusterIPs: readonly string[];
}

/** OpenShift's own API group: it assigns user ids by security context constraints. */
const OPENSHIFT_GROUP = "security.openshift.io";

/**
 * Keeps in memory what decisions need of the cluster: of each Service a few facts, of each node its kubelet's version. A look
 * is a look into a map.
 */
export async function watchSurroundings(
  connection: KubeConnection,
  options: SurroundingsOptions,
): Promise<WatchedSurroundings> {
  const services = new Collection<KnownService>(knownService);
  const nodes = new Collection<KubeletFacts>(kubeletFacts);
  const openshift = await hasGroup(connection, OPENSHIFT_GROUP).catch((error) => {
    options.onInterrupted("apis", error, 0);
    return false;
  });
  const watch = (what: string, target: Collection<KnownService> | Collection<KubeletFacts>) =>
    watchResource(connection, {
      path: `/api/v1/${what}`,
      target,
      onInterrupted: (error, pauseMs) => options.onInterrupted(what, error, pauseMs),
      ...(options.times === undefined ? {} : { times: options.times }),
    });
  const watchers = [watch("services", services), watch("nodes", nodes)];

  return {
    surroundings: {
      service: (namespace, name) => services.get(namespace, name)?.facts,
      get nativeSidecars() {
        return allRunNativeSidecars(nodes.values());
      },
      openshift,
      get apiServerAddresses() {
        return services.get("default", "kubernetes")?.clusterIPs ?? [];
      },
      suspended: options.suspended ?? (() => false),
    },
    synced: () => watchers.every((watcher) => watcher.synced()),
    async stop() {
      await Promise.all(watchers.map((watcher) => watcher.stop()));
    },
  };
}

/**
 * Pods dial the API server by its Service's address (`KUBERNETES_SERVICE_HOST`), and a mesh decides on the address that was
 * dialled: so it is the cluster IPs of that Service which must be excluded, not the endpoints behind it.
 */
function knownService(service: JsonObject): KnownService {
  const list = at(service, "spec", "clusterIPs");
  const single = asString(at(service, "spec", "clusterIP"));
  const all = Array.isArray(list)
    ? list.filter((address) => typeof address === "string")
    : single
      ? [single]
      : [];
  return {
    facts: serviceFacts(service),
    clusterIPs: all.filter((address) => address !== "None" && address !== ""),
  };
}

async function hasGroup(connection: KubeConnection, name: string): Promise<boolean> {
  const groups = await connection.send({ method: "GET", path: "/apis" });
  return objectsIn(groups.groups).some((group) => group.name === name);
}
