import type { FindingCode } from "../contract/findings.ts";
import { decide } from "../injection/decide.ts";
import type { Subject } from "../injection/decision.ts";
import { roleOf } from "../injection/select.ts";
import type { InjectionSettings, Surroundings } from "../injection/settings.ts";
import { asObject, asString, at, type JsonObject, objectsIn } from "../json/value.ts";
import type { Objects } from "./clusters.ts";
import { type Finding, refTo } from "./finding.ts";

/** Decisions that leave out a pod which somebody has marked as one of Patroni's. */
const TOLD = [
  "opted-out",
  "ambiguous-container",
  "no-scope",
  "invalid-annotation",
] as const satisfies FindingCode[];

/**
 * Pods and workloads that carry the label, a pooler's too, and that no injection would change: their cluster cannot be named, so they stand in none.
 * A pod of a workload that is told of already is not told of again.
 */
export function strays(objects: Objects, settings: InjectionSettings, surroundings: Surroundings): Finding[] {
  const sets = objects.statefulSets.flatMap((set) =>
    findingOn(set, "StatefulSet", subjectOfSet(set), settings, surroundings),
  );
  const told = new Set(sets.map(({ object: { namespace, name } }) => `${namespace}/${name}`));
  const pods = objects.pods
    .filter((pod) => !told.has(ownerOf(pod)))
    .flatMap((pod) => findingOn(pod, "Pod", subjectOfPod(pod), settings, surroundings));
  return [...sets, ...pods];
}

function findingOn(
  object: JsonObject,
  kind: string,
  subject: Subject,
  settings: InjectionSettings,
  surroundings: Surroundings,
): Finding[] {
  const decision = decide(subject, settings, surroundings);
  if (decision.kind === "inject") return [];
  // A pooler is no member: one that opted out is missed by nobody.
  if (decision.reason === "opted-out" && roleOf(subject.pod, settings) === "pooler") return [];
  const code = TOLD.find((each) => each === decision.reason);
  const detail = decision.kind === "deny" ? decision.message : decision.detail;
  return code === undefined
    ? []
    : [{ code, object: refTo(object, kind), evidence: detail || decision.reason }];
}

const namespaceOf = (object: JsonObject): string => asString(at(object, "metadata", "namespace")) ?? "";

const controllerOf = (object: JsonObject): JsonObject | undefined =>
  objectsIn(at(object, "metadata", "ownerReferences")).find(({ controller }) => controller === true);

const ownerOf = (pod: JsonObject): string => `${namespaceOf(pod)}/${String(controllerOf(pod)?.name)}`;

const subjectOfPod = (pod: JsonObject): Subject => ({
  pod,
  namespace: namespaceOf(pod),
  origin: "request",
  job: controllerOf(pod)?.kind === "Job",
});

function subjectOfSet(set: JsonObject): Subject {
  const pod = asObject(at(set, "spec", "template")) ?? {};
  const serviceName = asString(at(set, "spec", "serviceName"));
  const subject = { pod, namespace: namespaceOf(set), origin: "stateful-template" as const, job: false };
  return serviceName === undefined ? subject : { ...subject, serviceName };
}
