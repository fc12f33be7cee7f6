import { DOMAIN } from "../../contract/names.ts";
import { asObject, type JsonObject } from "../../json/value.ts";

/** Annotations that checks look at: Patroni's, ours, the meshes'. Others may be anything, and large. */
const ANNOTATIONS = new RegExp(
  `^(status$|${DOMAIN.replaceAll(".", "\\.")}/|traffic\\.sidecar\\.istio\\.io/|config\\.linkerd\\.io/|sidecar\\.istio\\.io/)`,
);

/** Of a pod's status and annotations, what an audit looks at: conditions and the history of containers are most of a pod. */
export function slimPod(pod: JsonObject): JsonObject {
  const { phase, podIP, podIPs, initContainerStatuses, containerStatuses } = asObject(pod.status) ?? {};
  const metadata = asObject(pod.metadata) ?? {};
  const annotations = Object.entries(asObject(metadata.annotations) ?? {});
  const kept = Object.fromEntries(annotations.filter(([key]) => ANNOTATIONS.test(key)));
  return {
    ...pod,
    metadata: { ...metadata, annotations: kept },
    status: { phase, podIP, podIPs, initContainerStatuses, containerStatuses },
  };
}
