import { headlessServiceName } from "../../contract/cluster-names.ts";
import { isDnsLabel } from "../../contract/syntax.ts";
import type { Note } from "../decision.ts";
import type { Draft } from "../draft.ts";
import { type Host, hostOf, type Member } from "../member.ts";
import type { ServiceFacts, Surroundings } from "../settings.ts";
import type { Announced } from "./announced.ts";

/** A DNS name that the pod will have: `<host>.<subdomain>.<namespace>.svc.<domain>`. */
export interface PodDns {
  readonly host: Exclude<Host, { kind: "none" }>;
  readonly subdomain: string;
}

/**
 * Gives the pod a DNS name: hostname, and a subdomain that names a headless Service. The name is `undefined` where it
 * cannot be had; then the connect addresses stay as they are too. A subdomain that stands in an address of the user's
 * never changes.
 */
export function podDns(
  draft: Draft,
  member: Member,
  announced: Announced,
  surroundings: Surroundings,
): { dns: PodDns | undefined; notes: Note[] } {
  if (member.options["connect-addresses"] === "off") return { dns: undefined, notes: [] };
  const notes: Note[] = [];
  const without = (reason: Note["reason"], detail: string) => ({
    dns: undefined,
    notes: [...notes, { reason, detail }],
  });

  const resolver = resolverProblem(draft, member);
  if (resolver !== undefined) return without("no-cluster-dns", resolver);

  const original = hostOf(member);
  if (original.kind === "none") return without(original.reason, original.detail);
  const host = hostOfCopy(member, announced) ?? original;

  const choice = chooseSubdomain(member, announced.byUser, draft.labels, surroundings);
  if (choice.kind === "none") return without(choice.reason, choice.detail);

  if (host !== original) {
    notes.push({ reason: "copied-pod", detail: `hostname was "${original.name}", is now "${host.name}"` });
  }
  if (member.origin === "request") {
    draft.spec.hostname = host.name;
    draft.spec.subdomain = choice.subdomain;
  }
  return { dns: { host, subdomain: choice.subdomain }, notes };
}

/** A pod that uses the node's resolver, or one of its own, may not resolve the other members' names. */
function resolverProblem(draft: Draft, member: Member): string | undefined {
  const policy = draft.spec.dnsPolicy || "ClusterFirst";
  if (policy === "ClusterFirstWithHostNet") return undefined;
  if (policy !== "ClusterFirst") return `dnsPolicy is ${String(policy)}`;
  return member.hostNetwork ? "hostNetwork with dnsPolicy ClusterFirst resolves like the node" : undefined;
}

/**
 * A pod whose Patroni already announces its own pod name, but with another pod's hostname, is a copy: two pods would
 * answer to the original's name.
 */
function hostOfCopy(member: Member, announced: Announced): PodDns["host"] | undefined {
  const { name, hostname } = member;
  if (
    !announced.followsPodName ||
    name === undefined ||
    hostname === undefined ||
    hostname === name ||
    !isDnsLabel(name)
  )
    return undefined;
  return { kind: "pod-name", name };
}

type Choice =
  | { readonly kind: "use"; readonly subdomain: string }
  | {
      readonly kind: "none";
      readonly reason: "subdomain-in-use" | "headless-unusable";
      readonly detail: string;
    };

/**
 * Which headless Service carries the pod's name. The user's own stays where it is headless or where an address of the
 * user's mentions it; ours takes the place of a Service with a ClusterIP, and of Patroni's leader Service, whose name is
 * the scope.
 */
function chooseSubdomain(
  member: Member,
  announced: readonly string[],
  labels: Readonly<Record<string, string>>,
  surroundings: Surroundings,
): Choice {
  const current = member.subdomain;
  const ours = member.options["headless-service"] ?? headlessServiceName(member.scope);
  const usable = (name: string): Choice => {
    const problem = headlessProblem(surroundings.service(member.namespace, name), labels);
    return problem === undefined
      ? { kind: "use", subdomain: name }
      : { kind: "none", reason: "headless-unusable", detail: `Service "${name}" ${problem}` };
  };

  if (current === ours) return usable(ours);
  const seen = current === undefined ? undefined : surroundings.service(member.namespace, current);
  if (current !== undefined) {
    if (announced.some((address) => mentions(address, current))) return { kind: "use", subdomain: current };
    if (seen?.headless && member.options["headless-service"] === undefined) return usable(current);
    if (seen === undefined && current !== member.scope && member.options["headless-service"] === undefined) {
      return { kind: "none", reason: "subdomain-in-use", detail: `Service "${current}" cannot be seen` };
    }
  }
  if (member.origin === "stateful-template") {
    return {
      kind: "none",
      reason: "subdomain-in-use",
      detail: `a StatefulSet's pods get its serviceName "${current ?? ""}" as subdomain; set serviceName: ${ours}`,
    };
  }
  return usable(ours);
}

/** Why the names of this pod would not resolve through the Service; a Service that is not there yet will be made. */
function headlessProblem(
  service: ServiceFacts | undefined,
  labels: Readonly<Record<string, string>>,
): string | undefined {
  if (service === undefined) return undefined;
  if (!service.headless) return "has a ClusterIP";
  if (!service.publishNotReadyAddresses) return "does not publish not-ready addresses";
  const selector = Object.entries(service.selector);
  if (selector.length === 0) return "has no selector";
  const odd = selector.find(([key, value]) => labels[key] !== value);
  return odd === undefined ? undefined : `selects ${odd[0]}=${odd[1]}, which this pod has not`;
}

/** The subdomain stands in the address as a label of its name. */
function mentions(address: string, subdomain: string): boolean {
  const [name = ""] = address.split(":");
  return name.split(".").includes(subdomain);
}
