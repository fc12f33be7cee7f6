import { NAMESPACE_LABEL, SIDECAR_CONTAINER } from "../../contract/names.ts";
import { asAsked, sidecarFacts, sidecarIn } from "../../controller/facts/sidecar.ts";
import { decide } from "../../injection/decide.ts";
import type { Decision } from "../../injection/decision.ts";
import { asObject, at, type JsonObject } from "../../json/value.ts";
import { asTold } from "../as-told.ts";
import { type AuditContext, type Check, forCluster, forMembers } from "../check.ts";
import type { AuditedCluster, AuditedMember, AuditedWorkload } from "../clusters.ts";
import { type Finding, refTo } from "../finding.ts";
import { need } from "../need.ts";

const optedIn = forCluster(["not-opted-in"], ({ namespace, mode }) => {
  if (mode === "enabled" || mode === "audit") return [];
  const evidence = mode === undefined ? `no label ${NAMESPACE_LABEL}` : `${NAMESPACE_LABEL}: ${mode}`;
  const object = { kind: "Namespace", namespace: "", name: namespace };
  return [{ code: "not-opted-in", object, field: "metadata.labels", evidence }];
});

/** A member against what a new pod of it would get today. */
const members = forMembers(
  ["not-injected", "older-sidecar", "outdated-injection"],
  (member, cluster, context): Finding[] => {
    if (cluster.mode !== "enabled") return [];
    const pod = asAsked(member.pod);
    const decision = decisionOn({ ...member, pod }, context);
    if (decision.kind !== "inject") return [];
    const object = refTo(member.pod, "Pod");
    const wanted = sidecarFacts(decision.pod);
    const present = sidecarFacts(pod);
    if (wanted !== undefined && present === undefined)
      return [{ code: "not-injected", object, field: "spec", evidence: `no container ${SIDECAR_CONTAINER}` }];
    if (wanted?.image !== present?.image) {
      const evidence = `it was given ${present?.image ?? "none"}; today it would be ${wanted?.image ?? "none"}`;
      return [{ code: "older-sidecar", object, field: "spec", evidence }];
    }
    if (decision.reason === "already-injected") return [];
    const evidence = `a new pod would differ in ${differing(pod, decision.pod).join(", ")}`;
    return [{ code: "outdated-injection", object, evidence }];
  },
);

/** What the API server's admission made of a pod like the workload's, against the plan. */
const admission: Check = forCluster(["failed-open", "admission-differs"], (cluster, context) =>
  cluster.mode === "enabled"
    ? cluster.workloads.flatMap((workload) => admitted(workload, cluster, context))
    : [],
);

function admitted(
  { statefulSet, facts }: AuditedWorkload,
  { namespace }: AuditedCluster,
  { snapshot, settings, surroundings }: AuditContext,
): Finding[] {
  const outcome = need(snapshot.dryRun(namespace, facts.workload.name));
  const object = refTo(statefulSet, "StatefulSet");
  if (outcome.kind === "refused")
    return [{ code: "failed-open", object, evidence: `a pod of it is refused: ${outcome.message}` }];
  if (isLeftAlone(outcome.pod)) return [];
  if (sidecarIn(outcome.pod) === undefined)
    return [{ code: "failed-open", object, evidence: "a pod of it comes back without the sidecar" }];
  const pod = asAsked(outcome.pod);
  const plan = decide({ pod, namespace, origin: "request", job: false }, asTold(settings, pod), surroundings);
  if (plan.kind !== "inject" || plan.reason === "already-injected") return [];
  const evidence = `a pod of it comes back, and differs from the plan in ${differing(pod, plan.pod).join(", ")}`;
  return [{ code: "admission-differs", object, evidence }];
}

const isLeftAlone = (pod: JsonObject): boolean =>
  at(pod, "metadata", "annotations", "patroni-injector.io/inject") === "false";

const decisionOn = ({ pod, facts }: AuditedMember, { settings, surroundings }: AuditContext): Decision =>
  decide(
    { pod, namespace: facts.namespace, origin: "request", job: facts.owner?.kind === "Job" },
    asTold(settings, pod),
    surroundings,
  );

/** The fields of metadata and spec in which two pods differ, by name. */
function differing(one: JsonObject, other: JsonObject): string[] {
  return (["metadata", "spec"] as const).flatMap((part) => {
    const [mine, theirs] = [asObject(one[part]) ?? {}, asObject(other[part]) ?? {}];
    const keys = new Set([...Object.keys(mine), ...Object.keys(theirs)]);
    return [...keys]
      .filter((key) => JSON.stringify(mine[key]) !== JSON.stringify(theirs[key]))
      .map((key) => `${part}.${key}`);
  });
}

export const INJECTION: readonly Check[] = [optedIn, members, admission];
