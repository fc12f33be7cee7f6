import type { FaultOutcome } from "./outcome.ts";

/** What several changes of primary cost together. */
export interface Sums {
  /** For how long the former address stood in the slice although another server took the writes already. Milliseconds. */
  readonly wrongServerMs: number;
  /** Attempts that reached a server which takes no writes. */
  readonly readOnly: number;
  readonly lost: number;
  /** The longest time without an acknowledged write. Milliseconds. */
  readonly unavailableMs: number;
}

export function sumsOf(outcomes: readonly FaultOutcome[]): Sums {
  const sum = (of: (outcome: FaultOutcome) => number) =>
    outcomes.reduce((all, outcome) => all + of(outcome), 0);
  return {
    wrongServerMs: sum(wrongServerMs),
    readOnly: sum((outcome) => outcome.outcomes.readOnly),
    lost: sum(({ lost }) => lost.length),
    unavailableMs: Math.max(0, ...outcomes.map((outcome) => outcome.unavailableMs ?? 0)),
  };
}

function wrongServerMs({ struckToPromotedMs, struckToRemovedMs }: FaultOutcome): number {
  if (struckToPromotedMs === undefined || struckToRemovedMs === undefined) return 0;
  return Math.max(0, struckToRemovedMs - struckToPromotedMs);
}
