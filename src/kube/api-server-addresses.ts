import { isIP } from "node:net";
import { asString, at, type JsonObject, objectsIn } from "../json/value.ts";

/**
 * Where a pod finds the API server, for a mesh that decides on the address that was dialled:
 *
 * - the cluster IPs of the Service `default/kubernetes`: `KUBERNETES_SERVICE_HOST`, what most clients dial;
 * - the endpoints behind it: what Patroni dials under `bypass_api_service`, and what a pod's own packet filter sees where
 *   the network (a kube-proxy replacement that works on sockets) translates the address at `connect` already.
 */
export const API_SERVER_SERVICE = { namespace: "default", name: "kubernetes" } as const;

/** The cluster IPs of a Service; none of a headless one. */
export function clusterIPs(service: JsonObject): string[] {
  const list = at(service, "spec", "clusterIPs");
  return addresses(Array.isArray(list) ? list : [at(service, "spec", "clusterIP")]);
}

/** The addresses in an EndpointSlice, ready or not: one that is not may be so again in the pod's life. */
export function endpointAddresses(slice: JsonObject): string[] {
  return objectsIn(slice.endpoints).flatMap(({ addresses: list }) =>
    addresses(Array.isArray(list) ? list : []),
  );
}

/** `None`, host names and the like are no addresses. */
const addresses = (values: readonly unknown[]): string[] =>
  values.flatMap((value) => asString(value) ?? []).filter((text) => isIP(text) !== 0);
