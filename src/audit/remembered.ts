import type { Seen } from "./need.ts";

/** What one replica of `serve` remembers of pods in namespaces in audit mode. */
export interface Remembered {
  /** Nothing is missing from here on. */
  readonly since: string;
  readonly decisions: readonly RememberedDecision[];
}

export interface RememberedDecision {
  readonly namespace: string;
  readonly pod: string;
  readonly reason: string;
}

/** A replica, and what it told. */
export interface ReplicaMemory {
  readonly replica: string;
  readonly told: Seen<Remembered>;
}
