import { median } from "../statistics.ts";
import { CONTENDERS, type ContenderName } from "./contender.ts";
import type { Figures } from "./measure.ts";
import type { Scenario } from "./scenarios.ts";

/** One scenario, with what each contender did in each round. */
export interface Outcome {
  readonly scenario: Scenario;
  readonly rounds: readonly Readonly<Record<ContenderName, Figures>>[];
}

/** The figures of one contender in one scenario: the median of the rounds, each figure by itself. */
export interface Summary extends Figures {
  readonly scenario: Scenario;
  readonly contender: ContenderName;
  /** The lowest and the highest throughput of the rounds: how far to trust the rest. */
  readonly perSecondRange: readonly [number, number];
}

/** The injector's figures divided by a yardstick's, round by round; then the median of the quotients. */
export interface Ratio {
  readonly scenario: Scenario;
  readonly to: Exclude<ContenderName, "injector">;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpuMicros: number | undefined;
}

export function summarize({ scenario, rounds }: Outcome): Summary[] {
  return CONTENDERS.map((contender) => {
    const all = rounds.map((round) => round[contender]);
    const speeds = all.map(({ perSecond }) => perSecond);
    return {
      scenario,
      contender,
      perSecond: median(speeds),
      p50: median(all.map(({ p50 }) => p50)),
      p99: median(all.map(({ p99 }) => p99)),
      max: median(all.map(({ max }) => max)),
      cpuMicros: medianOf(all.map(({ cpuMicros }) => cpuMicros)),
      residentMb: medianOf(all.map(({ residentMb }) => residentMb)),
      waitedPercent: medianOf(all.map(({ waitedPercent }) => waitedPercent)),
      clientBusyPercent: median(all.map(({ clientBusyPercent }) => clientBusyPercent)),
      clientLateP99: medianOf(all.map(({ clientLateP99 }) => clientLateP99)),
      perSecondRange: [Math.min(...speeds), Math.max(...speeds)],
    };
  });
}

export function compare({ scenario, rounds }: Outcome): Ratio[] {
  return (["echo", "express"] as const).map((to) => {
    const ratio = (figure: (figures: Figures) => number | undefined) =>
      medianOf(rounds.map((round) => quotient(figure(round.injector), figure(round[to]))));
    return {
      scenario,
      to,
      perSecond: ratio(({ perSecond }) => perSecond) ?? Number.NaN,
      p50: ratio(({ p50 }) => p50) ?? Number.NaN,
      p99: ratio(({ p99 }) => p99) ?? Number.NaN,
      cpuMicros: ratio(({ cpuMicros }) => cpuMicros),
    };
  });
}

/** Undefined as soon as one round lacks the figure. */
function medianOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length < values.length ? undefined : median(known);
}

function quotient(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one / other;
}
