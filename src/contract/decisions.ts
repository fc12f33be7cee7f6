/** Where a replica of `serve` tells what its namespaces in audit mode would have got: GET, on the operations port. */
export const DECISIONS_PATH = "/decisions";

/** What a replica remembers, on the wire. */
export interface ToldDecisions {
  /** From here on nothing is missing: the replica's start, an hour ago, or what the bound has left. */
  readonly since: string;
  /** Oldest first. */
  readonly decisions: readonly ToldDecision[];
}

/** Names and a reason code: nothing of what stands in a pod. */
export interface ToldDecision {
  readonly at: string;
  readonly namespace: string;
  readonly name: string;
  readonly decision: string;
  readonly reason: string;
}
