import { setTimeout as sleep } from "node:timers/promises";
import type { FaultKind, WatchFault } from "./faults.ts";
import { type Answer, refusal } from "./http.ts";
import { generic } from "./status.ts";

/** What the faults that struck a request make of it. */
export type Fate =
  | { readonly kind: "cut" }
  | { readonly kind: "never-answered" }
  | { readonly kind: "answered"; readonly answer: Answer }
  | {
      readonly kind: "goes-on";
      /** All is done, and the connection is cut instead of an answer. */
      readonly losesAnswer: boolean;
      /** What is wrong with the stream, where it is a watch. */
      readonly watchFault: WatchFault | undefined;
    };

/** Waits as long as the faults say. @param faults in the order in which they struck */
export async function fateOf(faults: readonly FaultKind[]): Promise<Fate> {
  for (const fault of faults) {
    switch (fault.kind) {
      case "latency":
        await sleep(fault.ms);
        break;
      case "status":
        return {
          kind: "answered",
          answer: refusal(generic(fault.status, "an ordered fault", fault.retryAfter)),
        };
      case "drop":
        return { kind: "cut" };
      case "hang":
        return { kind: "never-answered" };
      case "drop-after-write":
        return { kind: "goes-on", losesAnswer: true, watchFault: undefined };
      case "watch-silent":
      case "watch-gone":
        return { kind: "goes-on", losesAnswer: false, watchFault: fault.kind };
    }
  }
  return { kind: "goes-on", losesAnswer: false, watchFault: undefined };
}
