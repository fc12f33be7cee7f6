import type { ContenderName } from "./contender.ts";
import type { Ratio, Summary } from "./results.ts";
import type { LoadName, PodSize, Scenario } from "./scenarios.ts";

/** What the injector must reach in one scenario; a target holds at its limit. */
export interface Target {
  readonly what: string;
  readonly scenario: Scenario;
  readonly limit: { readonly atMost: number } | { readonly atLeast: number };
  readonly unit: string;
  /** The figure is a comparison already. */
  readonly relative?: true;
  measured(summary: Summary, toExpress: Ratio): number | undefined;
}

const paced = (pod: PodSize): Target[] => [
  {
    what: "latency, p50",
    scenario: { pod, load: "500/s" },
    limit: { atMost: 1 },
    unit: "ms",
    measured: ({ p50 }) => p50,
  },
  {
    what: "latency, p99",
    scenario: { pod, load: "500/s" },
    limit: { atMost: 5 },
    unit: "ms",
    measured: ({ p99 }) => p99,
  },
];

const ofExpress = (pod: PodSize, load: LoadName): Target => ({
  what: "throughput of Express's",
  scenario: { pod, load },
  limit: { atLeast: 70 },
  unit: "%",
  relative: true,
  measured: (_, { perSecond }) => perSecond * 100,
});

export const TARGETS: readonly Target[] = [
  ...paced("10 KB pod"),
  ...paced("60 KB pod"),
  {
    what: "throughput",
    scenario: { pod: "10 KB pod", load: "16 connections" },
    limit: { atLeast: 2000 },
    unit: "requests/s",
    measured: ({ perSecond }) => perSecond,
  },
  {
    what: "CPU a request",
    scenario: { pod: "10 KB pod", load: "16 connections" },
    limit: { atMost: 400 },
    unit: "µs",
    measured: ({ cpuMicros }) => cpuMicros,
  },
  ofExpress("10 KB pod", "16 connections"),
  ofExpress("60 KB pod", "16 connections"),
];

export interface Verdict {
  readonly target: Target;
  readonly measured: number | undefined;
  /** What the bare echo did by the same measure, where there is such a thing: the floor of this machine in these minutes. */
  readonly floor: number | undefined;
  /** `unclear`: the bare echo, which does nothing, did not hold the limit either, so the machine was too busy to tell. */
  readonly verdict: "ok" | "missed" | "unclear";
}

export function judge(summaries: readonly Summary[], ratios: readonly Ratio[]): Verdict[] {
  return TARGETS.flatMap((target) => {
    const of = (contender: ContenderName) =>
      summaries.find((entry) => entry.contender === contender && isSame(entry.scenario, target.scenario));
    const [injector, echo] = [of("injector"), of("echo")];
    const ratio = ratios.find(({ to, scenario }) => to === "express" && isSame(scenario, target.scenario));
    if (injector === undefined || echo === undefined || ratio === undefined) return [];
    const measured = target.measured(injector, ratio);
    const floor = target.relative ? undefined : target.measured(echo, ratio);
    return [{ target, measured, floor, verdict: verdictOf(target, measured, floor) }];
  });
}

/** A figure that could not be measured is missed. */
function verdictOf({ limit, relative }: Target, measured: number | undefined, floor: number | undefined) {
  if (holds(limit, measured)) return "ok";
  return relative || holds(limit, floor) || measured === undefined ? "missed" : "unclear";
}

const isSame = (one: Scenario, other: Scenario) => one.pod === other.pod && one.load === other.load;

function holds(limit: Target["limit"], value: number | undefined): boolean {
  if (value === undefined) return false;
  return "atMost" in limit ? value <= limit.atMost : value >= limit.atLeast;
}
