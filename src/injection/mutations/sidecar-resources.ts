import { SIDECAR_CONTAINER } from "../../contract/names.ts";
import { asObject, isObject, type Json, type JsonObject } from "../../json/value.ts";
import type { Note } from "../decision.ts";
import type { Draft } from "../draft.ts";
import { everyContainerLimitsCpu, hasPodLevelResources, qosClass } from "../qos.ts";
import { nanos, sameQuantities } from "../quantity.ts";
import type { Recipient } from "../recipient.ts";
import type { Quantities, SidecarSettings } from "../settings.ts";
import type { SidecarForm } from "./sidecar-container.ts";

/**
 * Resources that keep the pod's QoS class: none in a BestEffort pod, limits that equal the requests in a Guaranteed one.
 * A CPU limit is set only where all other containers have one (a quota may demand it), for throttling slows a failover.
 */
export function resourcesFor(
  draft: Draft,
  { options }: Recipient,
  settings: SidecarSettings,
): { resources: SidecarForm["resources"]; notes: Note[] } {
  const others = podWithoutSidecar(draft);
  if (hasPodLevelResources(others))
    return { resources: {}, notes: [{ reason: "pod-level-resources", detail: "" }] };
  const qos = qosClass(others);
  if (qos === "BestEffort") return { resources: {}, notes: [] };

  const requests = {
    ...settings.resources.requests,
    ...defined({ cpu: options["sidecar-cpu-request"], memory: options["sidecar-memory-request"] }),
  };
  const needsCpuLimit = qos === "Guaranteed" || everyContainerLimitsCpu(others, SIDECAR_CONTAINER);
  const limits = {
    ...(needsCpuLimit ? { cpu: settings.resources.requiredCpuLimit } : {}),
    ...settings.resources.limits,
    ...defined({ cpu: options["sidecar-cpu-limit"], memory: options["sidecar-memory-limit"] }),
  };
  if (qos === "Guaranteed") {
    const whole = { ...requests, ...limits };
    return { resources: { limits: whole, requests: whole }, notes: [] };
  }
  return { resources: { limits, requests: within({ ...limits, ...requests }, limits) }, notes: [] };
}

/** A request above its limit would make the pod invalid: it becomes the limit, as the API makes of an absent one. */
function within(requests: Quantities, limits: Quantities): Quantities {
  return defined({ cpu: smaller(requests.cpu, limits.cpu), memory: smaller(requests.memory, limits.memory) });
}

function smaller(request: string | undefined, limit: string | undefined): string | undefined {
  if (request === undefined || limit === undefined) return request;
  return (nanos(request) ?? 0n) > (nanos(limit) ?? 0n) ? limit : request;
}

function podWithoutSidecar(draft: Draft): JsonObject {
  const others = (list: JsonObject[]) => list.filter(({ name }) => name !== SIDECAR_CONTAINER);
  return {
    spec: {
      ...draft.spec,
      containers: others(draft.containers),
      initContainers: others(draft.initContainers),
    },
  };
}

/** The resources that stand there, where they say what is planned: the API server writes quantities in its own way. */
export function keptResources(present: Json | undefined, planned: Json | undefined): Json | undefined {
  if (!isObject(present)) return planned;
  const wanted = asObject(planned) ?? {};
  const isSame =
    sameQuantities(present.requests, wanted.requests) && sameQuantities(present.limits, wanted.limits);
  return isSame ? present : planned;
}

function defined(values: Readonly<Partial<Record<"cpu" | "memory", string | undefined>>>): Quantities {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
