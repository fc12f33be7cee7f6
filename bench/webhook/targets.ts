import type { ContenderName } from "./contender.ts";
import type { Ratio, Summary } from "./results.ts";
import type { LoadName, PodSize, Scenario } from "./scenarios.ts";

/** What the injector must reach in one scenario; a target holds at its limit. */
export interface Target {
  readonly what: string;
  readonly scenario: Scenario;
  readonly limit: { readonly atMost: number } | { readonly atLeast: number };
  readonly unit: string;
  /** The figure compares the injector with Express already. */
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
  /** `unclear`: others kept the machine too busy to tell. A missed target may be their doing, a kept one never is. */
  readonly verdict: "ok" | "missed" | "unclear";
}

/** A server that waits for its core for a larger part of the time was not measured alone. */
const BUSY_PERCENT = 10;

export function judge(summaries: readonly Summary[], ratios: readonly Ratio[]): Verdict[] {
  return TARGETS.flatMap((target) => {
    const of = (contender: ContenderName) =>
      summaries.find((entry) => entry.contender === contender && isSame(entry.scenario, target.scenario));
    const [injector, echo, express] = [of("injector"), of("echo"), of("express")];
    const ratio = ratios.find(({ to, scenario }) => to === "express" && isSame(scenario, target.scenario));
    if (!injector || !echo || !express || !ratio) return [];
    const measured = target.measured(injector, ratio);
    const floor = target.relative ? undefined : target.measured(echo, ratio);
    const verdict = target.relative
      ? relative(holds(target.limit, measured), [injector, express])
      : absolute(holds(target.limit, measured), holds(target.limit, floor), injector);
    return [{ target, measured, floor, verdict: measured === undefined ? "missed" : verdict }];
  });
}

/** Others can only slow a server down: a limit that it kept all the same is kept. */
function absolute(kept: boolean, echoKept: boolean, injector: Summary): Verdict["verdict"] {
  if (kept) return "ok";
  return isBusy(injector) || !echoKept ? "unclear" : "missed";
}

/** Others that slow down only one of the two make the comparison wrong in either direction. */
function relative(kept: boolean, compared: readonly Summary[]): Verdict["verdict"] {
  if (compared.some(isBusy)) return "unclear";
  return kept ? "ok" : "missed";
}

const isBusy = ({ waitedPercent = 0 }: Summary) => waitedPercent > BUSY_PERCENT;

const isSame = (one: Scenario, other: Scenario) => one.pod === other.pod && one.load === other.load;

function holds(limit: Target["limit"], value: number | undefined): boolean {
  if (value === undefined) return false;
  return "atMost" in limit ? value <= limit.atMost : value >= limit.atLeast;
}
