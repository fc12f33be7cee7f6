import { asString, at, type JsonObject, objectsIn } from "../../json/value.ts";
import type { PodEnd } from "./flow.ts";
import { selects } from "./selector.ts";

export type Direction = "ingress" | "egress";

/** A NetworkPolicy (networking.k8s.io/v1) as far as the evaluation reads it. */
export interface Policy {
  readonly namespace: string;
  readonly name: string;
  readonly podSelector: unknown;
  readonly directions: ReadonlySet<Direction>;
  readonly rules: Readonly<Record<Direction, readonly JsonObject[]>>;
}

/** Reads a policy. Without `policyTypes` it is what the API server's defaults make of it: ingress, and egress where it has such rules. */
export function readPolicy(object: JsonObject, defaultNamespace = "default"): Policy {
  const spec = at(object, "spec");
  const ingress = objectsIn(at(spec, "ingress"));
  const egress = objectsIn(at(spec, "egress"));
  const types = at(spec, "policyTypes");
  const named = Array.isArray(types) && types.length > 0 ? types : egress.length > 0 ? BOTH : ["Ingress"];
  const directions = new Set<Direction>();
  if (named.includes("Ingress")) directions.add("ingress");
  if (named.includes("Egress")) directions.add("egress");
  return {
    namespace: asString(at(object, "metadata", "namespace")) ?? defaultNamespace,
    name: asString(at(object, "metadata", "name")) ?? "",
    podSelector: at(spec, "podSelector"),
    directions,
    rules: { ingress, egress },
  };
}

const BOTH = ["Ingress", "Egress"];

/** A policy isolates the pods of its own namespace that it selects, in the directions of its types. */
export function isolates(policy: Policy, pod: PodEnd, direction: Direction): boolean {
  return (
    policy.directions.has(direction) &&
    policy.namespace === pod.namespace &&
    selects(policy.podSelector, pod.labels)
  );
}
