import { annotationKey } from "../contract/annotations.ts";
import type { DecisionReason } from "../contract/reasons.ts";
import { asObject, asString, objectsIn } from "../json/value.ts";
import { type Flavour, findPatroniContainer, flavourOf } from "../patroni/container.ts";
import { scopeOf } from "../patroni/identity.ts";
import type { Decision, Note, Subject } from "./decision.ts";
import { memberOf } from "./member.ts";
import { readOptions } from "./options.ts";
import { plan, planPooler } from "./plan.ts";
import { poolerOf, poolerScopeOf } from "./pooler.ts";
import { reasonToSkip, roleOf } from "./select.ts";
import type { InjectionSettings, Surroundings } from "./settings.ts";
import { shapeProblem } from "./shape.ts";

/**
 * What is to happen to a pod. Pure: the same pod, settings and surroundings give the same decision, and nothing that was
 * handed in is changed.
 */
export function decide(subject: Subject, settings: InjectionSettings, surroundings: Surroundings): Decision {
  const problem = shapeProblem(subject.pod);
  if (problem !== undefined) return skip("malformed-pod", problem);
  const unwanted = reasonToSkip(subject, settings, surroundings);
  if (unwanted !== undefined) return skip(unwanted);

  const { values: options, problems } = readOptions(subject.pod);
  if (problems.length > 0 && settings.onInvalid === "deny") {
    return { kind: "deny", reason: "invalid-annotation", message: problems.join("; "), notes: [] };
  }
  const notes: Note[] = problems.map((detail) => ({ reason: "invalid-annotation", detail }));

  if (roleOf(subject.pod, settings) === "pooler") {
    const scope = poolerScopeOf(subject.pod, options);
    if (scope === undefined) return skip("no-scope", "", notes);
    const planned = planPooler(subject.pod, poolerOf(subject, scope, options), settings, surroundings);
    return { ...planned, kind: "inject", notes: [...notes, ...planned.notes] };
  }
  const container = patroniContainer(subject, options.container);
  if (container.kind === "unnamed") {
    const message = `annotation ${annotationKey("container")}: the pod has no container "${options.container}"; it has ${container.names}`;
    if (settings.onInvalid === "deny") return { kind: "deny", reason: "invalid-annotation", message, notes };
    return skip("no-patroni-container", message, notes);
  }
  if (container.kind !== "found") return skip(container.reason, container.detail, notes);

  const main = objectsIn(asObject(subject.pod.spec)?.containers)[container.index] ?? {};
  const scope = options.cluster ?? scopeOf(subject.pod, main);
  if (scope === undefined) return skip("no-scope", "", notes);
  const member = memberOf(subject, main, container.flavour, scope, options);
  const planned = plan(subject.pod, container.index, member, settings, surroundings);
  return { ...planned, kind: "inject", notes: [...notes, ...planned.notes] };
}

const skip = (reason: DecisionReason, detail = "", notes: readonly Note[] = []): Decision => ({
  kind: "skip",
  reason,
  detail,
  notes,
});

type Choice =
  | { readonly kind: "found"; readonly index: number; readonly flavour: Flavour }
  | { readonly kind: "unnamed"; readonly names: string }
  | { readonly kind: "skip"; readonly reason: DecisionReason; readonly detail: string };

function patroniContainer(subject: Subject, wanted: string | undefined): Choice {
  const containers = objectsIn(asObject(subject.pod.spec)?.containers);
  if (wanted !== undefined) {
    const index = containers.findIndex(({ name }) => name === wanted);
    const named = containers[index];
    if (named === undefined)
      return { kind: "unnamed", names: containers.map(({ name }) => asString(name)).join(", ") };
    return { kind: "found", index, flavour: flavourOf(named) };
  }
  const found = findPatroniContainer(containers);
  if (found.kind === "none") return { kind: "skip", reason: "no-patroni-container", detail: "" };
  if (found.kind === "ambiguous")
    return { kind: "skip", reason: "ambiguous-container", detail: found.names.join(", ") };
  return found;
}
