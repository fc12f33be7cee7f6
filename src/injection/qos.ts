import { asObject, type JsonObject, objectsIn } from "../json/value.ts";
import { nanos } from "./quantity.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

const RESOURCES = ["cpu", "memory"] as const;

/**
 * The QoS class that Kubernetes gives the pod (pkg/apis/core/v1/helper/qos): init containers count, zero quantities do
 * not, a missing request is its limit (the API's defaulting), and resources on the pod itself, where set, decide alone.
 */
export function qosClass(pod: JsonObject): QosClass {
  const spec = asObject(pod.spec) ?? {};
  const own = asObject(spec.resources);
  if (hasPodLevelResources(pod) && own !== undefined) return classOf([own]);
  return classOf(containersOf(spec).map((container) => asObject(container.resources) ?? {}));
}

/** The pod has resources of its own, beside those of its containers (PodLevelResources). */
export function hasPodLevelResources(pod: JsonObject): boolean {
  const own = asObject(asObject(pod.spec)?.resources);
  return [own?.requests, own?.limits].some((list) =>
    RESOURCES.some((name) => asObject(list)?.[name] !== undefined),
  );
}

/** Every container of the pod but those that `except` names has a CPU limit. */
export function everyContainerLimitsCpu(pod: JsonObject, except: string): boolean {
  const others = containersOf(asObject(pod.spec) ?? {}).filter((container) => container.name !== except);
  return others.length > 0 && others.every((container) => positive(limit(container, "cpu")));
}

function classOf(resourceLists: readonly JsonObject[]): QosClass {
  const requests = { cpu: 0n, memory: 0n };
  const limits = { cpu: 0n, memory: 0n };
  let allLimited = true;
  for (const resources of resourceLists) {
    for (const name of RESOURCES) {
      const most = quantityOf(resources.limits, name);
      requests[name] += quantityOf(resources.requests, name) ?? most ?? 0n;
      limits[name] += most ?? 0n;
      if (!positive(most)) allLimited = false;
    }
  }
  if (RESOURCES.every((name) => requests[name] === 0n && limits[name] === 0n)) return "BestEffort";
  return allLimited && RESOURCES.every((name) => requests[name] === limits[name])
    ? "Guaranteed"
    : "Burstable";
}

const containersOf = (spec: JsonObject): JsonObject[] => [
  ...objectsIn(spec.containers),
  ...objectsIn(spec.initContainers),
];
const limit = (container: JsonObject, name: string) =>
  quantityOf(asObject(container.resources)?.limits, name);
const quantityOf = (list: unknown, name: string): bigint | undefined => nanos(asObject(list)?.[name]);
const positive = (value: bigint | undefined): boolean => value !== undefined && value > 0n;
