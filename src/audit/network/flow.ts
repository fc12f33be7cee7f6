import type { Labels } from "./selector.ts";

export type Protocol = "TCP" | "UDP" | "SCTP";

/** A pod as NetworkPolicies see it. */
export interface PodEnd {
  readonly kind: "pod";
  readonly namespace: string;
  readonly namespaceLabels: Labels;
  readonly labels: Labels;
  /** None as long as the pod has no address, or where a manifest stands for it. */
  readonly ips: readonly string[];
  readonly ports: readonly NamedPort[];
  /** Its traffic is the node's: what policies do with it is undefined, and most network plugins do nothing. */
  readonly hostNetwork: boolean;
}

export interface NamedPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: Protocol;
}

/** Something that is no pod of the pod network: the API server, a node, a machine outside. */
export interface AddressEnd {
  readonly kind: "address";
  readonly ip: string;
  /** The node's own: Kubernetes says that pods always reach their node, and network plugins differ. */
  readonly isNode?: true;
}

export type End = PodEnd | AddressEnd;

/** A connection that somebody needs: who opens it, to whom, and the port it arrives at (after any Service's translation). */
export interface Flow {
  readonly from: End;
  readonly to: End;
  readonly port: number;
  readonly protocol: Protocol;
}
