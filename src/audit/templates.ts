import { asObject, at, type JsonObject } from "../json/value.ts";
import type { AuditedCluster } from "./clusters.ts";
import { type ObjectRef, refTo } from "./finding.ts";
import type { Labels } from "./network/selector.ts";

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

export const labelsOf = (object: JsonObject): Labels => (at(object, "metadata", "labels") ?? {}) as Labels;

/** Labels by which a policy or a budget selects all members: those that differ between them, or change with the role, left out. */
export function commonLabels(cluster: AuditedCluster): Record<string, string> {
  const [workload, ...others] = cluster.workloads;
  const selector = at(workload?.statefulSet, "spec", "selector", "matchLabels");
  if (selector !== undefined && others.length === 0) return selector as Record<string, string>;
  const [first = {}, ...rest] = podTemplates(cluster).map(({ pod }) => labelsOf(pod));
  return Object.fromEntries(
    Object.entries(first).filter(
      ([key, value]) => !isChanging(key) && rest.every((each) => each[key] === value),
    ),
  );
}

const isChanging = (key: string): boolean =>
  /(^|[-/])(role|pod-name|pod-index|controller-revision-hash)$/.test(key);
