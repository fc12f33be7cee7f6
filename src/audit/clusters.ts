import { NAMESPACE_LABEL } from "../contract/names.ts";
import type { MemberSettings } from "../controller/facts/member.ts";
import { type PodFacts, podFacts } from "../controller/facts/pod.ts";
import { type TemplateFacts, templateFacts } from "../controller/facts/template.ts";
import type { InjectionSettings } from "../injection/settings.ts";
import { asString, at, type JsonObject } from "../json/value.ts";
import { type ObjectRef, refTo } from "./finding.ts";
import { type MemberStatement, statementOf } from "./statement.ts";

/** A running pod of a Patroni cluster. */
export interface AuditedMember {
  readonly pod: JsonObject;
  readonly facts: PodFacts;
  /** What Patroni last wrote of it into the pod's annotation, with Kubernetes as DCS. */
  readonly statement: MemberStatement | undefined;
}

export interface AuditedWorkload {
  readonly statefulSet: JsonObject;
  readonly facts: TemplateFacts;
}

export interface AuditedCluster {
  readonly namespace: string;
  readonly scope: string;
  /** The value of the namespace's label; undefined where it has none. */
  readonly mode: string | undefined;
  /** What counts for the cluster as a whole: of its first member or, before there is one, of its first workload. */
  readonly settings: MemberSettings;
  /** By name. */
  readonly members: readonly AuditedMember[];
  readonly workloads: readonly AuditedWorkload[];
}

export interface Objects {
  readonly namespaces: readonly JsonObject[];
  readonly pods: readonly JsonObject[];
  readonly statefulSets: readonly JsonObject[];
}

/** What a finding on the cluster as a whole names. */
export function clusterRef({ namespace, scope, workloads, members }: AuditedCluster): ObjectRef {
  const [workload] = workloads;
  const [member] = members;
  if (workload !== undefined) return refTo(workload.statefulSet, "StatefulSet");
  return member === undefined ? { kind: "", namespace, name: scope } : refTo(member.pod, "Pod");
}

/** The Patroni clusters among these objects, in the order of their names. Pods that have ended are no members. */
export function clustersIn(objects: Objects, settings: InjectionSettings): AuditedCluster[] {
  const modes = new Map(
    objects.namespaces.map((object) => [
      asString(at(object, "metadata", "name")) ?? "",
      asString(at(object, "metadata", "labels", NAMESPACE_LABEL)),
    ]),
  );
  const drafts = new Map<string, { members: AuditedMember[]; workloads: AuditedWorkload[] }>();
  const draftOf = (namespace: string, scope: string) => {
    const key = JSON.stringify([namespace, scope]);
    const draft = drafts.get(key) ?? { members: [], workloads: [] };
    drafts.set(key, draft);
    return draft;
  };
  for (const statefulSet of objects.statefulSets) {
    const facts = templateFacts(statefulSet, settings);
    if (facts !== undefined)
      draftOf(facts.namespace, facts.settings.scope).workloads.push({ statefulSet, facts });
  }
  for (const pod of objects.pods) {
    const facts = podFacts(pod, settings);
    if (facts === undefined || facts.ended) continue;
    draftOf(facts.namespace, facts.settings.scope).members.push({ pod, facts, statement: statementOf(pod) });
  }
  return [...drafts]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, { members, workloads }]) => {
      const [namespace, scope] = JSON.parse(key) as [string, string];
      members.sort((one, other) => (one.facts.name < other.facts.name ? -1 : 1));
      const first = (members[0] ?? workloads[0]) as AuditedMember | AuditedWorkload;
      return {
        namespace,
        scope,
        mode: modes.get(namespace),
        settings: first.facts.settings,
        members,
        workloads,
      };
    });
}
