import { isIPv6 } from "node:net";
import { clusterLabelValue } from "../../contract/cluster-names.ts";
import type { FindingCode } from "../../contract/findings.ts";
import type { Json, JsonObject } from "../../json/value.ts";
import type { AuditedCluster } from "../clusters.ts";
import type { ObjectRef } from "../finding.ts";
import { commonLabels } from "../templates.ts";
import type { Verdict } from "./evaluate.ts";
import type { End, Protocol } from "./flow.ts";

/** One end of a connection, with what people call it. */
export interface Party {
  readonly end: End;
  readonly name: string;
  readonly object: ObjectRef;
}

/** A connection that a cluster lives on. */
export interface Need {
  readonly from: Party;
  readonly to: Party;
  readonly port: number;
  readonly protocol: Protocol;
}

/** One that policies cut. */
export interface Cut extends Need {
  readonly verdict: Verdict;
  /** In words. */
  readonly way: string;
}

export type NetworkCode = Extract<FindingCode, `blocked-${string}`>;

/**
 * A further policy that lets the members' side of these connections through: policies add up, so nothing that somebody wrote has to
 * change. Undefined where it is the other side that is closed. A direction in which members are not isolated stays open.
 */
export function allowing(
  code: NetworkCode,
  cuts: readonly Cut[],
  cluster: AuditedCluster,
): JsonObject | undefined {
  const { namespace, scope } = cluster;
  const isMember = ({ end }: Party): boolean => end.kind === "pod" && end.namespace === namespace;
  const egress = cuts.filter(({ verdict, from }) => verdict.egress.allowed === "no" && isMember(from));
  const ingress = cuts.filter(({ verdict, to }) => verdict.ingress.allowed === "no" && isMember(to));
  const policyTypes = [...(ingress.length > 0 ? ["Ingress"] : []), ...(egress.length > 0 ? ["Egress"] : [])];
  if (policyTypes.length === 0) return undefined;
  const members = { podSelector: { matchLabels: commonLabels(cluster) } };
  const peer = ({ end }: Party): JsonObject => {
    if (end.kind === "address") return { ipBlock: { cidr: `${end.ip}/${isIPv6(end.ip) ? 128 : 32}` } };
    if (end.namespace === namespace && isSelected(end.labels, members.podSelector.matchLabels))
      return members;
    return { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": end.namespace } } };
  };
  const rules = (cut: readonly Cut[], key: "from" | "to"): JsonObject[] =>
    grouped(cut.map((each) => [peer(each[key]), { port: each.port, protocol: each.protocol }] as const)).map(
      ([peers, ports]) => ({ [key]: peers, ports }),
    );
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: {
      namespace,
      name: `allow-${code.slice("blocked-".length)}-${clusterLabelValue(scope)}`.toLowerCase(),
    },
    spec: {
      ...members,
      policyTypes,
      ...(ingress.length > 0 ? { ingress: rules(ingress, "from") } : {}),
      ...(egress.length > 0 ? { egress: rules(egress, "to") } : {}),
    },
  };
}

const isSelected = (
  labels: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): boolean => Object.entries(wanted).every(([key, value]) => labels[key] === value);

/** For each set of ports the peers that are reached there, each once. */
function grouped(pairs: readonly (readonly [peer: JsonObject, port: JsonObject])[]): [Json[], Json[]][] {
  const byPort = new Map<string, Set<string>>();
  for (const [peer, port] of pairs) {
    const key = JSON.stringify(port);
    byPort.set(key, (byPort.get(key) ?? new Set()).add(JSON.stringify(peer)));
  }
  const byPeers = new Map<string, string[]>();
  for (const [port, peers] of byPort) {
    const key = JSON.stringify([...peers].sort());
    byPeers.set(key, [...(byPeers.get(key) ?? []), port]);
  }
  return [...byPeers].map(([peers, ports]) => [
    (JSON.parse(peers) as string[]).map((peer) => JSON.parse(peer)),
    ports.map((port) => JSON.parse(port)),
  ]);
}
