import type { JsonObject } from "../json/value.ts";
import {
  type Effect,
  type ReadReply,
  type RoundResult,
  round,
  type Tenure,
  type WriteReply,
  type WriterMemory,
} from "./round.ts";
import type { PodIdentity } from "./slice.ts";
import type { Observation } from "./standing.ts";

/** The world of one writer, as far as a round asks for it. None of these may reject. */
export interface WriterWorld {
  read(): Promise<ReadReply>;
  observe(): Promise<Observation>;
  /**
   * PUT with the resourceVersion that the slice carries; gives up after `WRITE_TIMEOUT_MS`.
   *
   * @param notAfter nothing may be sent when `now()` is past this, which matters where a connection must be made first
   */
  write(slice: JsonObject, notAfter: number): Promise<WriteReply>;
  /** A monotonic clock, in milliseconds: the one of `Observation.sentAt`. */
  now(): number;
}

/** Drives one round of the compare-and-swap to its end; see {@link round}. */
export async function runRound(
  pod: PodIdentity,
  memory: WriterMemory,
  tenure: () => Tenure,
  world: WriterWorld,
  mustProveFirst = false,
): Promise<RoundResult> {
  const steps = round(pod, memory, tenure, mustProveFirst);
  let next = steps.next();
  while (!next.done) next = steps.next(await reply(next.value, world));
  return next.value;
}

async function reply(effect: Effect, world: WriterWorld): Promise<ReadReply | Observation | WriteReply> {
  if (effect.kind === "read") return world.read();
  if (effect.kind === "observe") return world.observe();
  // The last look at the clock before the request goes out: a freeze may lie between the observation and here.
  return world.now() > effect.notAfter ? { kind: "expired" } : world.write(effect.slice, effect.notAfter);
}

/** What an answer to a PUT says of it, by its HTTP status; 0 stands for no answer. */
export function writeReplyOf(code: number, error: unknown): WriteReply {
  if (code === 200) return { kind: "written" };
  if (code === 409) return { kind: "conflict" };
  // A server that fails may have written before it failed; one that refuses has not.
  return { kind: code === 0 || code === 408 || code >= 500 ? "lost" : "refused", error };
}
