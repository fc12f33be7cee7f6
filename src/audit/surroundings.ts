import { type Surroundings, serviceFacts } from "../injection/settings.ts";
import { asString, at, type JsonObject } from "../json/value.ts";
import { API_SERVER_SERVICE, clusterIPs, endpointAddresses } from "../kube/api-server-addresses.ts";
import { allRunNativeSidecars, kubeletFacts } from "../kube/kubelets.ts";
import type { AuditKind, Snapshot } from "./snapshot.ts";

/** What `serve` would know of the cluster, from the same objects. What could not be seen is not there, as for `serve`. */
export function surroundingsIn(snapshot: Snapshot): Surroundings {
  const all = (kind: AuditKind): readonly JsonObject[] => {
    const seen = snapshot.objects(kind);
    return "value" in seen ? seen.value : [];
  };
  const services = new Map(all("Service").map((service) => [keyOf(service), service]));
  const { namespace: home, name: apiServer } = API_SERVER_SERVICE;
  const api = services.get(`${home}/${apiServer}`);
  const behind = all("EndpointSlice").filter(
    ({ metadata }) =>
      at(metadata, "namespace") === home &&
      at(metadata, "labels", "kubernetes.io/service-name") === apiServer,
  );
  return {
    service: (namespace, name) => {
      const service = services.get(`${namespace}/${name}`);
      return service && serviceFacts(service);
    },
    nativeSidecars: allRunNativeSidecars(all("Node").map(kubeletFacts)),
    openshift: false,
    apiServerAddresses: [
      ...new Set([...(api === undefined ? [] : clusterIPs(api)), ...behind.flatMap(endpointAddresses)]),
    ],
    suspended: () => false,
  };
}

const keyOf = (object: JsonObject): string =>
  `${asString(at(object, "metadata", "namespace"))}/${asString(at(object, "metadata", "name"))}`;
