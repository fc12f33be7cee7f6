import type { JsonObject } from "../json/value.ts";
import { decide, type Verdict } from "./decide.ts";
import { type PodIdentity, readSlice, withAttempt, withoutPod, withPod } from "./slice.ts";
import { type Observation, standingOf } from "./standing.ts";

/** An observation must not be older than this when the write that rests on it is sent. Milliseconds. */
export const OBSERVATION_VALID_MS = 1000;

/** A write that was not answered within this counts as lost. Milliseconds. */
export const WRITE_TIMEOUT_MS = 1000;

/** What a round asks of the world, one at a time. */
export type Effect =
  | { readonly kind: "read" }
  | { readonly kind: "observe" }
  /** PUT the slice with the resourceVersion it carries, unless the monotonic clock is past `notAfter` when it is sent. */
  | { readonly kind: "write"; readonly slice: JsonObject; readonly notAfter: number };

export type ReadReply =
  | { readonly kind: "slice"; readonly slice: JsonObject }
  | { readonly kind: "absent" }
  | { readonly kind: "failed"; readonly error: unknown };

export type WriteReply =
  | { readonly kind: "written" }
  /** 409: somebody wrote since the read. */
  | { readonly kind: "conflict" }
  /** The clock was past `notAfter`: nothing was sent. */
  | { readonly kind: "expired" }
  /** Answered, and refused for good: nothing was written (403, 404, 422, …). */
  | { readonly kind: "refused"; readonly error: unknown }
  /** Not answered, or answered without saying whether it was written (a time-out, a broken connection, 5xx). */
  | { readonly kind: "lost"; readonly error: unknown };

/** What each effect is answered with. */
export interface Replies {
  readonly read: ReadReply;
  readonly observe: Observation;
  readonly write: WriteReply;
}

/** What a writer remembers from round to round of one member. */
export interface WriterMemory {
  /** A write of ours may still be on its way: only a write of ours that is answered can end that. */
  inDoubt: boolean;
}

/** What is asked of the member's tenure, at the moment of the decision. */
export interface Tenure {
  readonly namedForMs: number;
  readonly ttlMs: number;
}

export type RoundResult =
  | { readonly kind: "rested"; readonly verdict: Verdict }
  | { readonly kind: "wrote"; readonly verdict: Verdict; readonly observation: Observation }
  | { readonly kind: "no-slice" }
  | { readonly kind: "failed"; readonly during: "read" | "write"; readonly error: unknown };

/** More turns than this within a round means that something else writes without end; the next round goes on. */
const MOST_TURNS = 8;

/**
 * One round of the compare-and-swap on the slice, as a generator: it yields what it wants done and is told what came of
 * it, so that the same code runs against a real API server and in a model that tries every interleaving.
 *
 * 1. read the slice; 2. only THEN observe the member: what is written was true after the read, and a write by anybody
 * since the read refuses ours; 3. decide; 4. write, unless the observation is too old by now; after a lost answer do not
 * rest until a write of our own is answered, for only a new resourceVersion kills one that may still be in flight;
 * 5. after a publication observe once more, and withdraw what is no longer so.
 *
 * @param mustProveFirst an address of this pod that stands in the slice must be proven now, else it goes
 */
export function* round(
  pod: PodIdentity,
  memory: WriterMemory,
  tenure: () => Tenure,
  mustProveFirst = false,
): Generator<Effect, RoundResult, unknown> {
  let mustProve = mustProveFirst;
  let last: RoundResult = {
    kind: "failed",
    during: "write",
    error: new Error("the slice changes without end"),
  };
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const read = yield* ask({ kind: "read" });
    if (read.kind === "absent") return { kind: "no-slice" };
    if (read.kind === "failed") return { kind: "failed", during: "read", error: read.error };

    const observation = yield* ask({ kind: "observe" });
    const standing = standingOf(observation);
    const verdict = decide({ pod, slice: readSlice(read.slice), standing, mustProve, ...tenure() });
    const next = nextSlice(read.slice, pod, verdict, memory);
    if (next === undefined) return { kind: "rested", verdict };

    const notAfter = observation.sentAt + OBSERVATION_VALID_MS;
    const reply = yield* ask({ kind: "write", slice: next, notAfter });
    if (reply.kind === "conflict" || reply.kind === "expired") continue;
    if (reply.kind === "refused") return { kind: "failed", during: "write", error: reply.error };
    if (reply.kind === "lost") {
      memory.inDoubt = true;
      return { kind: "failed", during: "write", error: reply.error };
    }
    memory.inDoubt = false;
    last = { kind: "wrote", verdict, observation };
    if (verdict.kind !== "publish") return last;

    const after = yield* ask({ kind: "observe" });
    if (standingOf(after).kind === "primary") return last;
    mustProve = true;
  }
  return last;
}

/** The driver's promise: an effect is answered with the reply of its kind. */
function* ask<E extends Effect>(effect: E): Generator<Effect, Replies[E["kind"]], unknown> {
  return (yield effect) as Replies[E["kind"]];
}

function nextSlice(
  slice: JsonObject,
  pod: PodIdentity,
  verdict: Verdict,
  memory: WriterMemory,
): JsonObject | undefined {
  if (verdict.kind === "publish") return withPod(slice, pod, verdict.term);
  if (verdict.kind === "withdraw") return withoutPod(slice, pod);
  return memory.inDoubt ? withAttempt(slice) : undefined;
}
