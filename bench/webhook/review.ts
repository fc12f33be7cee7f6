import type { JsonObject } from "../../src/json/value.ts";

const PODS = { group: "", version: "v1", resource: "pods" };
const POD = { group: "", version: "v1", kind: "Pod" };

/** The AdmissionReview that the API server sends when the StatefulSet controller creates this pod. */
export function reviewOf(pod: JsonObject): JsonObject {
  const { name, namespace } = pod.metadata as JsonObject;
  return {
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid: "0d1f4a52-7c1e-4b8e-9d57-6b0e3a5c2f90",
      kind: POD,
      resource: PODS,
      requestKind: POD,
      requestResource: PODS,
      name,
      namespace,
      operation: "CREATE",
      userInfo: {
        username: "system:serviceaccount:kube-system:statefulset-controller",
        uid: "f1b7c9a0-52a5-4a34-8a9f-04b9f0a7f6de",
        groups: ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
      },
      object: pod,
      oldObject: null,
      dryRun: false,
      options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
    },
  };
}
