import { at, type JsonObject } from "../../json/value.ts";
import type { End, PodEnd } from "./flow.ts";
import { ipBlockHolds } from "./ip-block.ts";
import { selects } from "./selector.ts";

/** `depends`: the specification leaves it to the network plugin, or the address is not known. */
export type Match = "yes" | "no" | "depends";

/** Whether a rule's peers (`from`, `to`) hold the other end. An absent or empty list holds everything. */
export function matchesPeers(peers: unknown, end: End, policyNamespace: string): Match {
  if (!Array.isArray(peers) || peers.length === 0) return "yes";
  return best(peers.map((peer) => matchesPeer(peer as JsonObject, end, policyNamespace)));
}

/** One `yes` is enough; else one `depends` leaves it open. */
export function best(matches: readonly Match[]): Match {
  if (matches.includes("yes")) return "yes";
  return matches.includes("depends") ? "depends" : "no";
}

function matchesPeer(peer: JsonObject, end: End, policyNamespace: string): Match {
  if (peer.ipBlock !== undefined) return matchesBlock(peer.ipBlock, end);
  // A pod with the host's network has its node's address, and its labels may mean nothing to the network plugin.
  if (end.kind !== "pod") return "no";
  if (!selectsPod(peer, end, policyNamespace)) return "no";
  return end.hostNetwork ? "depends" : "yes";
}

/** Namespace and pod selector together are an AND; without a namespace selector the policy's own namespace is meant. */
function selectsPod(peer: JsonObject, pod: PodEnd, policyNamespace: string): boolean {
  const inNamespace =
    at(peer, "namespaceSelector") === undefined
      ? pod.namespace === policyNamespace
      : selects(peer.namespaceSelector, pod.namespaceLabels);
  return inNamespace && selects(peer.podSelector, pod.labels);
}

/** Blocks are meant for addresses outside; whether they hold pods differs between network plugins (Cilium's do not). */
function matchesBlock(block: unknown, end: End): Match {
  if (end.kind === "address") return ipBlockHolds(block, end.ip) ? "yes" : "no";
  if (end.ips.length === 0) return "depends";
  return end.ips.some((ip) => ipBlockHolds(block, ip)) ? "depends" : "no";
}
