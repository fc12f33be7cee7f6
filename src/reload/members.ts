import { type AnnotationName, annotationKey } from "../contract/annotations.ts";
import { clusterLabelValue, primaryServiceName } from "../contract/cluster-names.ts";
import { CLUSTER_LABEL } from "../contract/names.ts";
import { primarySliceName } from "../contract/slice-annotations.ts";
import { asString, at, type JsonObject, objectsIn } from "../json/value.ts";
import type { KubeConnection } from "../kube/connection.ts";
import { KubeError } from "../kube/error.ts";
import { reloadApiOf } from "../reload-api/pod.ts";
import type { Arguments } from "./arguments.ts";

/** A pod that is asked. */
export interface Member {
  readonly name: string;
  /** What its certificate must be for. */
  readonly dnsName: string;
  /** Secret of its certificate, which may hold the authority too; undefined: it serves no reload API. */
  readonly tlsSecret: string | undefined;
  readonly isPrimary: boolean;
}

type Reader = Pick<KubeConnection, "send">;

/** The pods that are meant, in the order in which they are asked: the primary last. Throws where there is none. */
export async function membersOf(kube: Reader, wanted: Arguments): Promise<readonly Member[]> {
  const { namespace, target, clusterDomain } = wanted;
  const pods = await podsOf(kube, wanted);
  if (pods.length === 0)
    throw new Error(`there are no injected pods of the cluster ${target.name} in ${namespace}`);
  const primary = target.kind === "pod" ? undefined : await primaryOf(kube, namespace, target.name, pods);
  return pods
    .map((pod) => memberOf(pod, clusterDomain, primary))
    .sort(
      (one, other) => Number(one.isPrimary) - Number(other.isPrimary) || (one.name < other.name ? -1 : 1),
    );
}

async function podsOf(kube: Reader, { namespace, target }: Arguments): Promise<JsonObject[]> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  if (target.kind === "pod") return [await kube.send({ method: "GET", path: `${path}/${target.name}` })];
  const labelSelector = `${CLUSTER_LABEL}=${clusterLabelValue(target.name)}`;
  return objectsIn((await kube.send({ method: "GET", path, query: { labelSelector } })).items);
}

/** The name of the pod that is published, by the primary's EndpointSlice; undefined where nobody is. */
async function primaryOf(kube: Reader, namespace: string, cluster: string, pods: readonly JsonObject[]) {
  const named = pods
    .map((pod) => annotation(pod, "primary-service"))
    .find((service) => service !== undefined);
  const slice = primarySliceName(named ?? primaryServiceName(cluster));
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices/${slice}`;
  try {
    const [endpoint] = objectsIn((await kube.send({ method: "GET", path })).endpoints);
    return asString(at(endpoint, "targetRef", "name"));
  } catch (error) {
    if (error instanceof KubeError && error.code === 404) return undefined;
    throw error;
  }
}

function memberOf(pod: JsonObject, clusterDomain: string | undefined, primary: string | undefined): Member {
  const name = asString(at(pod, "metadata", "name")) ?? "";
  const api = reloadApiOf(pod);
  return {
    name,
    dnsName: [api?.dnsName, clusterDomain].filter((part) => part !== undefined).join("."),
    tlsSecret: api?.secret,
    isPrimary: name === primary,
  };
}

const annotation = (pod: JsonObject, name: AnnotationName): string | undefined =>
  asString(at(pod, "metadata", "annotations", annotationKey(name)));
