import type { Observation, Standing } from "../primary/standing.ts";

/** Milliseconds between two questions to Patroni. */
export const FAST_MS = 250;
export const SETTLED_MS = 1000;
/** It holds the lease and is not a running primary yet, or no more: the moments that count. */
export const CHANGING_MS = 50;
/** The sidecar was asked to end, and its member is still published. */
export const LEAVING_MS = 100;
/** A promotion that takes longer than this is waited for like anything else. */
export const LONGEST_CHANGE_MS = 10_000;

export interface Circumstances {
  readonly observation: Observation;
  readonly standing: Standing;
  readonly leaving: boolean;
  /** A change of the leader will be told by the watch of the leader object. */
  readonly leaderIsWatched: boolean;
  /** The leader object names this member. */
  readonly named: boolean;
  /** This member stands in the slice, or a write of ours may still land there. */
  readonly involved: boolean;
  /** For how long it has been changing, see {@link isChanging}. Milliseconds. */
  readonly changingForMs: number;
}

/** How long to wait before Patroni is asked again. */
export function pollMs(now: Circumstances): number {
  const { observation } = now;
  if (now.leaving) return LEAVING_MS;
  if (observation.kind !== "answered") return FAST_MS;
  if (isChanging(now)) return now.changingForMs < LONGEST_CHANGE_MS ? CHANGING_MS : FAST_MS;
  const { code, unlocked } = observation.status;
  return code === 503 && !unlocked && now.leaderIsWatched && !now.involved ? SETTLED_MS : FAST_MS;
}

/** It has the lease, by its own word or by the leader object (which is ahead by a moment), and is not a running primary. */
export const isChanging = ({
  observation,
  standing,
  named,
}: Pick<Circumstances, "observation" | "standing" | "named">): boolean =>
  observation.kind === "answered" &&
  standing.kind !== "primary" &&
  (named || observation.status.code === 200);
