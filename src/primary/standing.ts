import { isPrimaryRole, type MemberStatus } from "../patroni/status.ts";
import type { Term } from "./term.ts";

/** What came of asking a member once. Times are milliseconds of a monotonic clock. */
export type Observation =
  | { readonly kind: "answered"; readonly sentAt: number; readonly status: MemberStatus }
  /** Patroni's port refuses connections; `postgres` tells of PostgreSQL's port. */
  | { readonly kind: "refused"; readonly sentAt: number; readonly postgres: "refused" | "open" | "unknown" }
  /** No answer in time, or none that can be read. */
  | { readonly kind: "silent"; readonly sentAt: number; readonly error: string };

/** What follows for the slice from one observation. */
export type Standing =
  /** Proven, at the time of the observation, to be the writable primary. */
  | { readonly kind: "primary"; readonly term: Term }
  /** Proven not to serve writes: its address must go. */
  | { readonly kind: "lost"; readonly why: string }
  /** Neither: nothing new is published, nothing is removed. */
  | { readonly kind: "unclear"; readonly why: string };

const ENDED_STATES = ["stopping", "stopped"];
const ENDED_ROLES = ["replica", "demoted"];

/**
 * The rule of who may be published. 200 alone is not enough, both ways: the lease is taken before the promotion (role
 * still `replica`), and a leaving primary goes on answering 200 while it stops.
 */
export function standingOf(observation: Observation): Standing {
  switch (observation.kind) {
    case "silent":
      return unclear(`no answer (${observation.error})`);
    case "refused":
      return observation.postgres === "refused"
        ? lost("Patroni and PostgreSQL both refuse connections")
        : unclear("Patroni refuses connections");
    case "answered":
      return standingOfStatus(observation.status);
  }
}

function standingOfStatus(status: MemberStatus): Standing {
  const { code, state, role, paused, unlocked } = status;
  const words = `${code}, role ${role ?? "unknown"}, state ${state ?? "unknown"}`;
  const isEndedRole = role !== undefined && ENDED_ROLES.includes(role);
  if (paused && unlocked) {
    // Its view of the DCS may have expired: two members may both say primary (Patroni's api.py follows PostgreSQL then).
    return isEndedRole ? lost(words) : unclear(`${words}, paused with an expired view of the DCS`);
  }
  if (code === 503 || isEndedRole || (state !== undefined && ENDED_STATES.includes(state)))
    return lost(words);
  if (code !== 200 || !isPrimaryRole(role) || state !== "running") return unclear(words);
  if (status.timeline === undefined) return unclear(`${words}, no timeline`);
  return { kind: "primary", term: { system: status.system, timeline: status.timeline } };
}

const lost = (why: string): Standing => ({ kind: "lost", why });
const unclear = (why: string): Standing => ({ kind: "unclear", why });
