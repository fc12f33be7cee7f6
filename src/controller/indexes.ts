import { clusterLabelValue } from "../contract/cluster-names.ts";
import { CLUSTER_LABEL, CLUSTER_NAMESPACE_LABEL } from "../contract/names.ts";
import { SLICE_MANAGER, SLICE_MANAGER_LABEL, SLICE_SERVICE_LABEL } from "../contract/slice-annotations.ts";
import type { JsonObject } from "../json/value.ts";
import { isOurs } from "./desired/object.ts";
import type { EndpointsFacts } from "./facts/endpoints.ts";
import type { PodFacts } from "./facts/pod.ts";
import type { PoolerFacts } from "./facts/pooler.ts";
import { labelOf, nameOf, namespaceOf } from "./facts/slim.ts";

/** The prefix of {@link INDEX.cluster}: what follows is the key of a cluster. */
export const CLUSTER = "cluster:";

/** The prefix of {@link INDEX.leader}. */
export const LEADER = "leader:";

/** The prefix of {@link INDEX.made}: what follows is a namespace, and the value of the cluster's label. */
export const MADE = "made:";

/** What objects are found by, beside their names. */
export const INDEX = {
  cluster: (namespace: string, scope: string) => `${CLUSTER}${namespace}/${scope}`,
  namespace: (namespace: string) => `namespace:${namespace}`,
  service: (namespace: string, name: string) => `service:${namespace}/${name}`,
  /** @param leader `<resource>/<name>` */
  leader: (namespace: string, leader: string) => `${LEADER}${namespace}/${leader}`,
  account: (namespace: string, serviceAccount: string) => `account:${namespace}/${serviceAccount}`,
  /** Objects that we made for a cluster. */
  made: (namespace: string, scope: string) => `${MADE}${namespace}/${clusterLabelValue(scope)}`,
} as const;

/** By what each kind of object is found. */
export const indexesOf = {
  namespace: (namespace: JsonObject): string[] => [INDEX.namespace(nameOf(namespace))],

  /** A pod, or the template of some. */
  member: ({ namespace, settings }: Pick<PodFacts, "namespace" | "settings">): string[] => [
    INDEX.cluster(namespace, settings.scope),
    INDEX.made(namespace, settings.scope),
    INDEX.account(namespace, settings.serviceAccount),
  ],

  pooler: ({ namespace, scope }: PoolerFacts): string[] => [
    INDEX.cluster(namespace, scope),
    INDEX.made(namespace, scope),
  ],

  service: (service: JsonObject): string[] => [
    ...(isOurs(service) ? made(service) : []),
    INDEX.service(namespaceOf(service), nameOf(service)),
  ],

  slice(slice: JsonObject): string[] {
    const names = new Set([nameOf(slice), labelOf(slice, SLICE_SERVICE_LABEL) ?? nameOf(slice)]);
    const own = labelOf(slice, SLICE_MANAGER_LABEL) === SLICE_MANAGER ? made(slice) : [];
    return [...own, ...[...names].map((name) => INDEX.service(namespaceOf(slice), name))];
  },

  endpoints: ({ namespace, name }: EndpointsFacts): string[] => [
    INDEX.service(namespace, name),
    INDEX.leader(namespace, `endpoints/${name}`),
  ],

  configMap: ({ namespace, name }: { readonly namespace: string; readonly name: string }): string[] => [
    INDEX.leader(namespace, `configmaps/${name}`),
  ],

  peerAuthentication: (policy: JsonObject): string[] => [
    ...(isOurs(policy) ? made(policy) : []),
    INDEX.namespace(namespaceOf(policy)),
  ],

  made,
} as const;

/** Of an object that carries the labels of a cluster, which may be of another namespace. */
function made(object: JsonObject): string[] {
  const namespace = labelOf(object, CLUSTER_NAMESPACE_LABEL) ?? namespaceOf(object);
  return [`${MADE}${namespace}/${labelOf(object, CLUSTER_LABEL) ?? ""}`];
}
