import { SIDECAR_CONTAINER } from "../../../src/contract/names.ts";
import { SIDECAR_PORT } from "../../../src/contract/ports.ts";
import { asString, at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import type { ContainerMemory } from "../analysis/memory.ts";
import { sumOf } from "../analysis/metrics.ts";
import { POSTGRES_CONTAINER } from "../manifests/patroni.ts";
import type { Kubectl, PodRef } from "./kubectl.ts";
import type { MemberPod } from "./members.ts";
import type { Saboteur } from "./saboteur.ts";

/** The status of the sidecar in a pod, in whichever form it is there; undefined where the pod has none. */
export const sidecarStatus = (pod: JsonObject): JsonObject | undefined => statusOf(pod, SIDECAR_CONTAINER);

/** Whether the container with Patroni runs. */
export const runsPatroni = (pod: JsonObject): boolean =>
  at(statusOf(pod, POSTGRES_CONTAINER), "state", "running") !== undefined;

export const hasSidecar = (pod: JsonObject): boolean =>
  ["containers", "initContainers"].some((list) =>
    objectsIn(at(pod, "spec", list)).some(({ name }) => name === SIDECAR_CONTAINER),
  );

/** The kubelet's word for a container that does not run. */
export const waitingReason = (status: JsonObject | undefined): string | undefined =>
  asString(at(status, "state", "waiting", "reason"));

/** The container runtime's name for a container that runs or ran. */
export const containerId = (status: JsonObject | undefined): string | undefined =>
  asString(status?.containerID)?.replace(/^.*:\/\//, "");

/** The sidecar's metric of RECONNECTs, by their result. */
export const RECONNECTS = "patroni_injector_sidecar_reconnects_total";

/** A metric of one pod's sidecar, read through the API server. */
export async function sidecarMetric(
  kubectl: Kubectl,
  { namespace, name: pod }: PodRef,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<number> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}:${SIDECAR_PORT}/proxy/metrics`;
  return sumOf(await kubectl.run(["get", "--raw", path]), name, labels);
}

/** Memory of the sidecars that run, and of those that ran before them in the same pods whether they were ended for want of it. */
export async function sidecarMemories(
  pods: readonly MemberPod[],
  saboteur: Saboteur,
): Promise<ContainerMemory[]> {
  const memories = pods.map(async ({ object }) => {
    const status = sidecarStatus(object);
    const id = containerId(status);
    if (id === undefined || at(status, "state", "running") === undefined) return [];
    const memory = await saboteur.memoryOf(id);
    const former = at(status, "lastState", "terminated", "reason") === "OOMKilled" ? 1 : 0;
    return [{ ...memory, oomKills: memory.oomKills + former }];
  });
  return (await Promise.all(memories)).flat();
}

/** The status of a container in a pod, whatever kind of container it is. */
export function statusOf(pod: JsonObject, container: string): JsonObject | undefined {
  return ["containerStatuses", "initContainerStatuses"]
    .flatMap((list) => objectsIn(at(pod, "status", list)))
    .find(({ name }) => name === container);
}
