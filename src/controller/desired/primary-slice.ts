import { isIPv6 } from "node:net";
import {
  CLUSTER_IP_ANNOTATION,
  primarySliceName,
  SLICE_MANAGER,
  SLICE_MANAGER_LABEL,
  SLICE_SERVICE_LABEL,
} from "../../contract/slice-annotations.ts";
import { asString, at, type JsonObject, objectsIn } from "../../json/value.ts";
import { metadataOf, nameOf } from "../facts/slim.ts";
import { typeOf } from "../resources.ts";
import type { ClusterView } from "../view.ts";
import { clusterLabels } from "./object.ts";
import { POSTGRES_PORT_NAME } from "./primary-service.ts";

/**
 * What of the primary's slice follows from the Service: everything but its endpoints and its term. `addressType` can never be
 * changed.
 */
export function sliceSkeleton(view: ClusterView, service: JsonObject): JsonObject {
  const clusterIP = clusterIPOf(service);
  return {
    ...typeOf("endpointslices"),
    metadata: {
      namespace: view.namespace,
      name: primarySliceName(nameOf(service)),
      labels: {
        ...clusterLabels(view.scope),
        [SLICE_SERVICE_LABEL]: nameOf(service),
        [SLICE_MANAGER_LABEL]: SLICE_MANAGER,
      },
      annotations: clusterIP === undefined ? {} : { [CLUSTER_IP_ANNOTATION]: clusterIP },
      ownerReferences: [
        {
          ...typeOf("services"),
          name: nameOf(service),
          uid: metadataOf(service).uid ?? "",
          controller: true,
        },
      ],
    },
    addressType: addressTypeOf(service),
    ports: slicePorts(service, view.settings.postgresPort),
    endpoints: [],
  };
}

/** The Service's first family; where the API server does not say it (a headless one of old), as its ClusterIP. */
export function addressTypeOf(service: JsonObject): "IPv4" | "IPv6" {
  const families = at(service, "spec", "ipFamilies");
  const [first] = Array.isArray(families) ? families : [];
  if (first === "IPv4" || first === "IPv6") return first;
  return isIPv6(clusterIPOf(service) ?? "") ? "IPv6" : "IPv4";
}

/** Undefined for a headless Service, and before one is assigned. */
export function clusterIPOf(service: JsonObject | undefined): string | undefined {
  const address = asString(at(service, "spec", "clusterIP"));
  return address === undefined || address === "" || address === "None" ? undefined : address;
}

/** kube-proxy finds a slice's port by the name of the Service's. With one port that is PostgreSQL's, whatever number it names. */
function slicePorts(service: JsonObject, postgresPort: number): JsonObject[] {
  const ports = objectsIn(at(service, "spec", "ports"));
  if (ports.length === 0) return [{ name: POSTGRES_PORT_NAME, port: postgresPort, protocol: "TCP" }];
  return ports.map(({ name, port, targetPort, protocol }) => ({
    name: name ?? "",
    port:
      ports.length === 1
        ? postgresPort
        : typeof targetPort === "number"
          ? targetPort
          : (port ?? postgresPort),
    protocol: protocol ?? "TCP",
  }));
}
