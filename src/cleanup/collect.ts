import {
  CLUSTER_LABEL,
  CLUSTER_NAMESPACE_LABEL,
  MANAGED_BY,
  MANAGED_BY_LABEL,
  NAMESPACE_LABEL,
} from "../contract/names.ts";
import { labelOf, nameOf, namespaceOf } from "../controller/facts/slim.ts";
import { isCode, type Objects } from "../controller/objects.ts";
import { type Holder, podHolder, workloadHolder } from "../controller/prune/holders.ts";
import { heldBy, type Place } from "../controller/prune/prune.ts";
import type { Made } from "../controller/prune/verdict.ts";
import type { ResourceName } from "../controller/resources.ts";
import type { JsonObject } from "../json/value.ts";
import { isForbidden } from "../kube/error.ts";
import { API_SERVER_ENDPOINTS } from "../patroni/leader-object.ts";

/** What was made for one cluster, in the order in which it may go: bindings before what they bind, slices before their Service. */
export interface Cluster extends Place {
  readonly made: readonly Made[];
}

/** A namespace as it is now. */
export interface Surroundings {
  readonly enabled: boolean;
  readonly pods: readonly JsonObject[];
  readonly workloads: readonly JsonObject[];
}

const RESOURCES: readonly ResourceName[] = [
  "rolebindings",
  "roles",
  "peerauthentications",
  "networkpolicies",
  "endpointslices",
  "services",
];

/** Everything with our label, by namespace and cluster, sorted. @param namespaces undefined: all */
export async function clustersIn(
  objects: Objects,
  namespaces: readonly string[] | undefined,
): Promise<Cluster[]> {
  const clusters = new Map<string, { namespace: string; cluster: string; made: Made[] }>();
  for (const resource of RESOURCES) {
    for (const object of await madeIn(objects, resource, namespaces)) {
      const cluster = labelOf(object, CLUSTER_LABEL);
      const namespace = labelOf(object, CLUSTER_NAMESPACE_LABEL) ?? namespaceOf(object);
      if (cluster === undefined || namespaces?.includes(namespace) === false) continue;
      const key = `${namespace}/${cluster}`;
      const entry = clusters.get(key) ?? { namespace, cluster, made: [] };
      entry.made.push({ resource, object });
      clusters.set(key, entry);
    }
  }
  return [...clusters].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, cluster]) => cluster);
}

/** Permissions of a cluster may also stand where the API server's own Service is. */
async function madeIn(
  objects: Objects,
  resource: ResourceName,
  namespaces: readonly string[] | undefined,
): Promise<JsonObject[]> {
  const found: JsonObject[] = [];
  const places = new Set(namespaces && [...namespaces, API_SERVER_ENDPOINTS.namespace]);
  for (const namespace of namespaces === undefined ? [undefined] : places) {
    try {
      found.push(...(await objects.list(resource, namespace, `${MANAGED_BY_LABEL}=${MANAGED_BY}`)));
    } catch (error) {
      const isAbsent = resource === "peerauthentications" && isCode(error, 404); // there is no Istio
      const isElsewhere = namespaces?.includes(namespace ?? "") === false;
      if (!isAbsent && !(isElsewhere && isForbidden(error))) throw error;
    }
  }
  return found;
}

/** What runs in a namespace, and whether it is opted in. */
export async function surroundingsOf(objects: Objects, namespace: string): Promise<Surroundings> {
  const [own, pods, workloads] = await Promise.all([
    objects.read("namespaces", "", namespace),
    objects.list("pods", namespace),
    objects.list("statefulsets", namespace),
  ]);
  return { enabled: labelOf(own, NAMESPACE_LABEL) === "enabled", pods, workloads };
}

/** Whoever holds on to what was made for a cluster. */
export function holdersIn({ pods, workloads }: Surroundings, { cluster, made }: Cluster): Holder[] {
  const held = heldBy(made, { cluster });
  return [
    ...pods.flatMap((pod) => podHolder(pod, held) ?? []),
    ...workloads.flatMap((workload) => workloadHolder(workload, held) ?? []),
  ];
}

/** `<resource>/<name>`. */
export const titleOf = ({ resource, object }: Made): string => `${resource}/${nameOf(object)}`;
