import { type ServiceFacts, type Surroundings, serviceFacts } from "../injection/settings.ts";
import { asString, at, type JsonObject } from "../json/value.ts";
import { hasApiGroup } from "./api-groups.ts";
import { API_SERVER_SERVICE, clusterIPs, endpointAddresses } from "./api-server-addresses.ts";
import { Collection } from "./collection.ts";
import type { KubeConnection } from "./connection.ts";
import { allRunNativeSidecars, type KubeletFacts, kubeletFacts } from "./kubelets.ts";
import { type WatchOptions, type WatchTimes, watchResource } from "./watch.ts";

export interface SurroundingsOptions {
  /** Told of every interruption of what is being watched, with the pause before the next try. */
  onInterrupted(what: string, error: unknown, pauseMs: number): void;
  /** Where Services are looked at, beside that of the API server. Default: everywhere. */
  readonly namespaces?: readonly string[];
  /** Whose sidecars are suspended; without it nobody's are. */
  readonly suspended?: Surroundings["suspended"];
  readonly times?: Partial<WatchTimes>;
}

export interface WatchedSurroundings {
  readonly surroundings: Surroundings;
  /**
   * True once the Services were read; the nodes and the API server's endpoints too, unless we may not read them: without
   * them decisions are careful ones, without the Services they would be wrong ones.
   */
  synced(): boolean;
  stop(): Promise<void>;
}

/** OpenShift's own API group: it assigns user ids by security context constraints. */
const OPENSHIFT_GROUP = "security.openshift.io";

/** A Service's facts; of the API server's own one also its addresses. */
interface KnownService extends ServiceFacts {
  readonly clusterIPs?: readonly string[];
}

/**
 * Keeps in memory what decisions need of the cluster, beginning now: of each Service a few facts, of each node its
 * kubelet's version, and where the API server is. To look is to look into a map; what is not seen (yet) is not there.
 */
export function watchSurroundings(
  connection: KubeConnection,
  { onInterrupted, namespaces, suspended = () => false, times = {} }: SurroundingsOptions,
): WatchedSurroundings {
  const watch = <Entry>(what: string, options: Omit<WatchOptions<Entry>, "onInterrupted">) =>
    watchResource(connection, {
      ...options,
      times,
      onInterrupted: (error, pauseMs) => onInterrupted(what, error, pauseMs),
    });
  const { namespace, name } = API_SERVER_SERVICE;
  const services = new Collection<KnownService>(knownService);
  const nodes = new Collection<KubeletFacts>(kubeletFacts);
  const endpoints = new Collection<string[]>(endpointAddresses);
  const servicesIn = (place: string) =>
    watch("services", {
      path: place === "" ? "/api/v1/services" : `/api/v1/namespaces/${place}/services`,
      target: services.within(place),
    });
  const required = (namespaces ?? [""]).map(servicesIn);
  const helpful = [
    ...(namespaces === undefined || namespaces.includes(namespace) ? [] : [servicesIn(namespace)]),
    watch("nodes", { path: "/api/v1/nodes", target: nodes }),
    watch("endpointslices", {
      path: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
      labelSelector: `kubernetes.io/service-name=${name}`,
      target: endpoints,
    }),
  ];
  const stopped = new AbortController();
  let openshift: boolean | undefined;
  const asking = hasApiGroup(connection, OPENSHIFT_GROUP, stopped.signal, {
    times,
    onInterrupted: (error, pauseMs) => onInterrupted("apis", error, pauseMs),
  }).then((answer) => {
    openshift = answer;
  });

  return {
    surroundings: {
      service: (namespace, name) => services.get(namespace, name),
      get nativeSidecars() {
        return allRunNativeSidecars(nodes.values());
      },
      get openshift() {
        return openshift ?? false;
      },
      get apiServerAddresses() {
        const dialled = services.get(namespace, name)?.clusterIPs ?? [];
        return [...new Set([...dialled, ...[...endpoints.values()].flat()])];
      },
      suspended,
    },
    synced: () =>
      required.every((watcher) => watcher.synced()) &&
      openshift !== undefined &&
      helpful.every((watcher) => watcher.synced() || watcher.forbidden()),
    async stop() {
      stopped.abort();
      await Promise.all([asking, ...[...required, ...helpful].map((watcher) => watcher.stop())]);
    },
  };
}

function knownService(service: JsonObject): KnownService {
  const facts = serviceFacts(service);
  const isApiServers = Object.entries(API_SERVER_SERVICE).every(
    ([key, value]) => asString(at(service, "metadata", key)) === value,
  );
  return isApiServers ? { ...facts, clusterIPs: clusterIPs(service) } : facts;
}
