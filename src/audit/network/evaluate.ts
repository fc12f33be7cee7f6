import type { End, Flow } from "./flow.ts";
import { best, type Match, matchesPeers } from "./peer.ts";
import { type Direction, isolates, type Policy } from "./policy.ts";
import { matchesPorts } from "./ports.ts";

/** What the policies of one side say of a flow. */
export interface Side {
  readonly allowed: Match;
  /** The policies that isolate this side's pod in this direction: to blame where the flow is not allowed. */
  readonly isolatedBy: readonly Policy[];
}

/** A flow is allowed where both sides allow it. */
export interface Verdict {
  readonly allowed: Match;
  readonly egress: Side;
  readonly ingress: Side;
}

/**
 * Whether NetworkPolicies let a flow through, by the rules of networking.k8s.io/v1: a pod that no policy isolates in a direction may
 * do everything there; one that some policy isolates may do what at least one of these policies allows. The order of policies does
 * not matter, answers to allowed connections are allowed, and a pod always reaches itself. Policies of other kinds (Cilium's, Calico's,
 * AdminNetworkPolicy) are not looked at.
 */
export function evaluate(policies: readonly Policy[], flow: Flow): Verdict {
  const egress = sideOf(policies, flow, "egress", flow.from, flow.to);
  const ingress = sideOf(policies, flow, "ingress", flow.to, flow.from);
  const sides = [egress.allowed, ingress.allowed];
  const allowed = sides.includes("no") ? "no" : sides.includes("depends") ? "depends" : "yes";
  return { allowed, egress, ingress };
}

function sideOf(policies: readonly Policy[], flow: Flow, direction: Direction, own: End, other: End): Side {
  if (own.kind !== "pod" || own === other) return { allowed: "yes", isolatedBy: [] };
  const isolatedBy = policies.filter((policy) => isolates(policy, own, direction));
  if (isolatedBy.length === 0) return { allowed: "yes", isolatedBy };
  const key = direction === "ingress" ? "from" : "to";
  const matches = isolatedBy.flatMap(({ namespace, rules }) =>
    rules[direction].map((rule) =>
      matchesPorts(rule.ports, flow) ? matchesPeers(rule[key], other, namespace) : "no",
    ),
  );
  const allowed = best(matches);
  const isOfNode = own.hostNetwork || (other.kind === "address" && other.isNode === true);
  return { allowed: isOfNode && allowed === "no" ? "depends" : allowed, isolatedBy };
}
