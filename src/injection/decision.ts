import type { DecisionReason, PartReason } from "../contract/reasons.ts";
import type { JsonObject } from "../json/value.ts";

/** The parts of an injection, in the order in which they run. The names stand in the status annotation. */
export const PARTS = ["pod-dns", "connect-addresses", "mesh", "sidecar", "spilo-token"] as const;
export type Part = (typeof PARTS)[number];

/** A reason beside the decision, with what is particular to this pod. */
export interface Note {
  readonly reason: PartReason | "invalid-annotation";
  readonly detail: string;
}

/** What is to happen to a pod, as data: nothing was done yet. */
export type Decision =
  | {
      readonly kind: "inject";
      /** `already-injected` where `pod` equals the pod as it came. */
      readonly reason: "injected" | "already-injected";
      /** The whole pod as planned. Shares unchanged parts with the pod as it came. */
      readonly pod: JsonObject;
      /** The parts that are in force on the planned pod. */
      readonly applied: readonly Part[];
      readonly notes: readonly Note[];
    }
  | {
      readonly kind: "skip";
      readonly reason: DecisionReason;
      readonly detail: string;
      readonly notes: readonly Note[];
    }
  | {
      readonly kind: "deny";
      readonly reason: DecisionReason;
      readonly message: string;
      readonly notes: readonly Note[];
    };

/** The pod to decide on, and where it comes from. */
export interface Subject {
  readonly pod: JsonObject;
  readonly namespace: string;
  /**
   * `request`: a pod as the API server sends it. `stateful-template`: the template of a StatefulSet (its pods will
   * have stable names, and the StatefulSet's `serviceName` as subdomain). `template`: any other workload's.
   */
  readonly origin: "request" | "stateful-template" | "template";
  /** The StatefulSet's `serviceName`, for `stateful-template`. */
  readonly serviceName?: string;
  /** The pod belongs to a Job. */
  readonly job: boolean;
}
