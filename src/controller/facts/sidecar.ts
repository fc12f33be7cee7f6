import { STATUS_ANNOTATION } from "../../contract/annotations.ts";
import { SIDECAR_CONTAINER } from "../../contract/names.ts";
import { asObject, asString, at, type JsonObject, objectsIn } from "../../json/value.ts";

/** What is kept of our container in a pod. */
export interface SidecarFacts {
  /**
   * The image that the webhook asked for. What stands in the container may be what a registry mirror's webhook made of it, and
   * would never equal what is configured.
   */
  readonly image: string;
  /** `failing` where the kubelet says that it cannot start it, or that it ends again and again. */
  readonly health: "running" | "failing" | "waiting";
  /** The kubelet's word for the failure; empty where there is none. */
  readonly why: string;
  readonly restarts: number;
}

/** What the kubelet says of a container that it cannot start or keep (kubelet images/types.go, kuberuntime_container.go). */
export const FAILURES: readonly string[] = [
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "InvalidImageName",
  "ImageInspectError",
  "RegistryUnavailable",
  "SignatureValidationFailed",
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
  "CrashLoopBackOff",
];

/** Our container, native or not, in a pod or a template. */
export const sidecarIn = (pod: JsonObject): JsonObject | undefined =>
  [...objectsIn(at(pod, "spec", "initContainers")), ...objectsIn(at(pod, "spec", "containers"))].find(
    ({ name }) => name === SIDECAR_CONTAINER,
  );

/** Undefined where the pod has no sidecar. */
export function sidecarFacts(pod: JsonObject): SidecarFacts | undefined {
  const container = sidecarIn(pod);
  if (container === undefined) return undefined;
  const status = [
    ...objectsIn(at(pod, "status", "initContainerStatuses")),
    ...objectsIn(at(pod, "status", "containerStatuses")),
  ].find(({ name }) => name === SIDECAR_CONTAINER);
  const reason = asString(at(status, "state", "waiting", "reason")) ?? "";
  const isFailing = FAILURES.includes(reason);
  const isRunning = at(status, "state", "running") !== undefined;
  return {
    image: askedImage(pod) ?? asString(container.image) ?? "",
    health: isFailing ? "failing" : isRunning ? "running" : "waiting",
    why: isFailing ? reason : "",
    restarts: typeof status?.restartCount === "number" ? status.restartCount : 0,
  };
}

/**
 * The pod as the webhook made it, as far as our container's image goes. What a registry mirror's webhook made of that image is no
 * difference between the pod and what it would get today.
 */
export function asAsked(pod: JsonObject): JsonObject {
  const image = askedImage(pod);
  if (image === undefined) return pod;
  const spec = asObject(pod.spec) ?? {};
  const lists = (["initContainers", "containers"] as const).filter((key) => spec[key] !== undefined);
  const asked = (container: JsonObject): JsonObject =>
    container.name === SIDECAR_CONTAINER ? { ...container, image } : container;
  return {
    ...pod,
    spec: { ...spec, ...Object.fromEntries(lists.map((key) => [key, objectsIn(spec[key]).map(asked)])) },
  };
}

/** As the status annotation says; one of an older version does not. */
function askedImage(pod: JsonObject): string | undefined {
  try {
    const status: unknown = JSON.parse(asString(at(pod, "metadata", "annotations", STATUS_ANNOTATION)) ?? "");
    return asString(asObject(status)?.image) || undefined;
  } catch {
    return undefined;
  }
}
