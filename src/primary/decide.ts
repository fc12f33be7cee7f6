import { isEndpointOf, isPublished, type PodIdentity, type SliceState } from "./slice.ts";
import type { Standing } from "./standing.ts";
import { follows, isSameTerm, type SeenTerm, systemOf, type Term } from "./term.ts";

/** What is to happen to the slice on behalf of one member, as data. */
export type Verdict =
  | { readonly kind: "publish"; readonly term: Term }
  | { readonly kind: "withdraw"; readonly why: string }
  | { readonly kind: "rest"; readonly why: string }
  /** The member is a primary of a lower timeline, or of another system, than the slice has seen. */
  | { readonly kind: "term-refused"; readonly offered: Term; readonly current: SeenTerm };

export interface Situation {
  readonly pod: PodIdentity;
  readonly slice: SliceState;
  readonly standing: Standing;
  /**
   * For how long, on our monotonic clock, the leader object (with an external DCS: this member's own `/cluster`) has
   * named this member without a break. Milliseconds.
   */
  readonly namedForMs: number;
  /** Patroni's `ttl`. Milliseconds. */
  readonly ttlMs: number;
  /** An address of this member that stands in the slice must be proven now, else it goes. */
  readonly mustProve: boolean;
}

/**
 * The one rule of both writers. A member writes only of itself: it publishes its own address in the place of whatever
 * stands there, or removes its own; another's address goes only by being replaced.
 */
export function decide(situation: Situation): Verdict {
  const { pod, slice, standing, mustProve } = situation;
  const standsThere = slice.endpoints.some((endpoint) => isEndpointOf(endpoint, pod));
  if (standing.kind !== "primary") {
    const isUnproven = standing.kind === "lost" || mustProve;
    return { kind: standsThere && isUnproven ? "withdraw" : "rest", why: standing.why };
  }
  // A member that does not say its system identifier does not make the slice forget it.
  const term = { ...standing.term, system: standing.term.system ?? systemOf(slice.term) };
  if (isPublished(slice, pod) && isSameTerm(term, slice.term)) return { kind: "rest", why: "published" };
  if (slice.term !== undefined && !follows(term, slice.term) && situation.namedForMs <= situation.ttlMs) {
    return { kind: "term-refused", offered: term, current: slice.term };
  }
  return { kind: "publish", term };
}
