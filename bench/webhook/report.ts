import { currentLoad, type Machine } from "../machine.ts";
import { type Column, figure, table } from "../table.ts";
import type { ContenderName } from "./contender.ts";
import type { Ratio, Summary } from "./results.ts";
import type { Scenario } from "./scenarios.ts";
import type { Verdict } from "./targets.ts";

const TITLES: Readonly<Record<ContenderName, string>> = {
  echo: "https echo",
  express: "Express: parse, clone, compare",
  injector: "patroni-injector serve",
};

const right = <Row>(title: string, value: (row: Row) => number | undefined): Column<Row> => ({
  title,
  align: "right",
  cell: (row) => figure(value(row)),
});

const left = <Row>(title: string, cell: (row: Row) => string): Column<Row> => ({
  title,
  align: "left",
  cell,
});

const SCENARIO: readonly Column<{ readonly scenario: Scenario }>[] = [
  left("body", ({ scenario }) => scenario.pod),
  left("load", ({ scenario }) => scenario.load),
];

const SUMMARY: readonly Column<Summary>[] = [
  ...SCENARIO,
  left("server", ({ contender }) => TITLES[contender]),
  right("requests/s", ({ perSecond }) => perSecond),
  right("lowest", ({ perSecondRange }) => perSecondRange[0]),
  right("highest", ({ perSecondRange }) => perSecondRange[1]),
  right("p50 ms", ({ p50 }) => p50),
  right("p99 ms", ({ p99 }) => p99),
  right("max ms", ({ max }) => max),
  right("CPU µs", ({ cpuMicros }) => cpuMicros),
  right("RSS MB", ({ residentMb }) => residentMb),
  right("waited %", ({ waitedPercent }) => waitedPercent),
  right("client %", ({ clientBusyPercent }) => clientBusyPercent),
  right("client late ms", ({ clientLateP99 }) => clientLateP99),
];

const RATIO: readonly Column<Ratio>[] = [
  ...SCENARIO,
  left("patroni-injector to", ({ to }) => TITLES[to]),
  right("requests/s", ({ perSecond }) => perSecond),
  right("p50", ({ p50 }) => p50),
  right("p99", ({ p99 }) => p99),
  right("CPU", ({ cpuMicros }) => cpuMicros),
];

const VERDICT: readonly Column<Verdict>[] = [
  left("target", ({ target }) => target.what),
  left("body", ({ target }) => target.scenario.pod),
  left("load", ({ target }) => target.scenario.load),
  {
    title: "wanted",
    align: "right",
    cell: ({ target: { limit } }) => ("atMost" in limit ? `≤ ${limit.atMost}` : `≥ ${limit.atLeast}`),
  },
  right("measured", ({ measured }) => measured),
  right("https echo", ({ floor }) => floor),
  left("unit", ({ target }) => target.unit),
  left("", ({ verdict }) => verdict),
];

/** Everything that the report says, as it stands in the JSON. */
export interface Findings {
  readonly machine: Machine;
  readonly seconds: number;
  readonly rounds: number;
  /** Bytes of the whole request body, by the size of the pod in it. */
  readonly bodyBytes: Readonly<Record<string, number>>;
  readonly summaries: readonly Summary[];
  readonly ratios: readonly Ratio[];
  readonly verdicts: readonly Verdict[];
}

export function text({ machine, seconds, rounds, bodyBytes, summaries, ratios, verdicts }: Findings): string {
  const { pinned, node, system, cpu, cores } = machine;
  const where = pinned
    ? `the server on core ${pinned.server}, the client on core ${pinned.client}`
    : "not pinned to cores: CPU time is comparable, throughput and latency are not";
  const sizes = Object.entries(bodyBytes).map(([pod, bytes]) => `${pod} in a review of ${bytes} bytes`);
  return [
    `Node ${node} on ${system}, ${cores} × ${cpu}; ${where}; load ${machine.loadBefore} before`,
    `${rounds} rounds of ${seconds} s; medians; ${sizes.join(", ")}`,
    "",
    table(SUMMARY, summaries),
    "",
    table(RATIO, ratios),
    "",
    table(VERDICT, verdicts),
  ].join("\n");
}

export function json(findings: Findings, outcomes: readonly object[]): object {
  const { verdicts, machine, ...rest } = findings;
  return {
    benchmark: "webhook",
    finishedAt: new Date().toISOString(),
    machine: { ...machine, loadAfter: currentLoad() },
    ...rest,
    targets: verdicts.map(({ target: { what, scenario, limit, unit }, measured, floor, verdict }) => {
      return { what, scenario, limit, unit, measured, floor, verdict };
    }),
    outcomes,
  };
}
