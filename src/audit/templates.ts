import { asObject, at, type JsonObject } from "../json/value.ts";
import type { AuditedCluster } from "./clusters.ts";
import { type ObjectRef, refTo } from "./finding.ts";

/** A pod of a cluster as it is written: a running one, or a workload's template. */
export interface PodTemplate {
  readonly pod: JsonObject;
  /** The object in which it stands. */
  readonly object: ObjectRef;
  /** What leads to the pod in that object: empty, or `spec.template.`. */
  readonly path: string;
}

/** The templates of the cluster's workloads, and the pods that come from none of them. */
export function podTemplates({ workloads, members }: AuditedCluster): PodTemplate[] {
  const owners = new Set(workloads.map(({ facts }) => facts.workload.name));
  const bare = members.filter(({ facts }) => !owners.has(facts.owner?.name ?? ""));
  return [
    ...workloads.map(({ statefulSet }) => ({
      pod: asObject(at(statefulSet, "spec", "template")) ?? {},
      object: refTo(statefulSet, "StatefulSet"),
      path: "spec.template.",
    })),
    ...bare.map(({ pod }) => ({ pod, object: refTo(pod, "Pod"), path: "" })),
  ];
}
