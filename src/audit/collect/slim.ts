import { asObject, type JsonObject } from "../../json/value.ts";

/** Of a pod's status, what an audit looks at; conditions and the history of containers are most of a pod. */
export function slimPod(pod: JsonObject): JsonObject {
  const { phase, podIP, podIPs, initContainerStatuses, containerStatuses } = asObject(pod.status) ?? {};
  return { ...pod, status: { phase, podIP, podIPs, initContainerStatuses, containerStatuses } };
}
