import type { Load } from "../load/drive.ts";
import { patroniPod } from "./pod.ts";
import { reviewOf } from "./review.ts";

export const POD_SIZES = { "10 KB pod": 10 * 1024, "60 KB pod": 60 * 1024 } as const;
export type PodSize = keyof typeof POD_SIZES;

export const LOADS = {
  "1 connection": { kind: "closed", connections: 1 },
  "16 connections": { kind: "closed", connections: 16 },
  "500/s": { kind: "paced", connections: 16, perSecond: 500 },
} as const satisfies Record<string, Load>;
export type LoadName = keyof typeof LOADS;

/** One load with one body: what every contender is put through, one after the other. */
export interface Scenario {
  readonly pod: PodSize;
  readonly load: LoadName;
}

export const SCENARIOS: readonly Scenario[] = keysOf(POD_SIZES).flatMap((pod) =>
  keysOf(LOADS).map((load) => ({ pod, load })),
);

/** The bodies that are sent, by the size of the pod in them. */
export function makeBodies(): Readonly<Record<PodSize, Buffer>> {
  const bodies = keysOf(POD_SIZES).map((pod) => {
    return [pod, Buffer.from(JSON.stringify(reviewOf(patroniPod(POD_SIZES[pod]))))];
  });
  return Object.fromEntries(bodies) as Record<PodSize, Buffer>;
}

export function keysOf<Key extends string>(record: Readonly<Record<Key, unknown>>): Key[] {
  return Object.keys(record) as Key[];
}
