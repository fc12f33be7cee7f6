import type { Benchmark, BenchmarkOptions } from "../benchmark.ts";
import { describeMachine } from "../machine.ts";
import type { Contender, ContenderName } from "./contender.ts";
import { startInjector } from "./injector.ts";
import { type Figures, measure } from "./measure.ts";
import { type Findings, json, text } from "./report.ts";
import { compare, type Outcome, summarize } from "./results.ts";
import { keysOf, LOADS, makeBodies, type PodSize, SCENARIOS, type Scenario } from "./scenarios.ts";
import { judge } from "./targets.ts";
import { verify } from "./verify.ts";
import { startYardstick } from "./yardstick.ts";

type Bodies = Readonly<Record<PodSize, Buffer>>;

const ROUNDS = 3;

/** The webhook beside a bare HTTPS server and a bare Express, in the same minutes on the same core. */
export const webhook: Benchmark = async (options) => {
  const machine = describeMachine(options.cores);
  const bodies = makeBodies();
  const contenders: Contender[] = [];
  try {
    const start = { cpu: options.cores?.server, signal: options.signal };
    contenders.push(await startYardstick("echo", start));
    contenders.push(await startYardstick("express", start));
    contenders.push(await startInjector(start));
    await prepare(contenders, bodies, options);
    const outcomes = await run(contenders, bodies, options);

    const summaries = outcomes.flatMap(summarize);
    const ratios = outcomes.flatMap(compare);
    const findings: Findings = {
      machine,
      seconds: options.seconds,
      rounds: ROUNDS,
      bodyBytes: Object.fromEntries(keysOf(bodies).map((pod) => [pod, bodies[pod].length])),
      summaries,
      ratios,
      verdicts: judge(summaries, ratios),
    };
    return {
      text: text(findings),
      json: json(findings, outcomes),
      missedTargets: findings.verdicts.filter(({ verdict }) => verdict === "missed").length,
    };
  } finally {
    await Promise.all(contenders.map((contender) => contender.stop()));
  }
};

/** Each contender is asked once, and then warmed up until its code is compiled. */
async function prepare(
  contenders: readonly Contender[],
  bodies: Bodies,
  { seconds, progress }: BenchmarkOptions,
): Promise<void> {
  for (const contender of contenders) {
    progress(`warming up ${contender.name}`);
    for (const body of Object.values(bodies)) {
      await verify(contender, body);
      await measure(contender, body, LOADS["16 connections"], seconds);
      await contender.log?.clear();
    }
  }
}

/** In each round each scenario is run by all contenders in turn, so that whatever the machine does meets them all. */
async function run(
  contenders: readonly Contender[],
  bodies: Bodies,
  options: BenchmarkOptions,
): Promise<Outcome[]> {
  const rounds = new Map<Scenario, Record<ContenderName, Figures>[]>(
    SCENARIOS.map((scenario) => [scenario, []]),
  );
  for (let round = 1; round <= ROUNDS; round++) {
    for (const [scenario, done] of rounds) {
      options.progress(`round ${round} of ${ROUNDS}: ${scenario.pod}, ${scenario.load}`);
      const figures: Partial<Record<ContenderName, Figures>> = {};
      for (const contender of contenders) {
        figures[contender.name] = await measure(
          contender,
          bodies[scenario.pod],
          LOADS[scenario.load],
          options.seconds,
        );
        await contender.log?.clear();
      }
      done.push(figures as Record<ContenderName, Figures>);
    }
  }
  return [...rounds].map(([scenario, done]) => ({ scenario, rounds: done }));
}
