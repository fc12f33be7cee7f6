import { asObject, at, type JsonObject } from "../../json/value.ts";

/** How far a StatefulSet is. */
export interface Rollout {
  readonly replicas: number;
  /** All its pods are there, ready and of its newest revision, as its controller says of what it is now. */
  readonly settled: boolean;
}

export function rolloutOf(set: JsonObject): Rollout {
  const wanted = at(set, "spec", "replicas");
  const replicas = typeof wanted === "number" ? wanted : 1;
  const status = asObject(set.status) ?? {};
  const counts = ["replicas", "readyReplicas", "updatedReplicas"].map((key) => status[key] ?? 0);
  return {
    replicas,
    settled:
      status.observedGeneration === at(set, "metadata", "generation") &&
      status.currentRevision === status.updateRevision &&
      counts.every((count) => count === replicas),
  };
}
