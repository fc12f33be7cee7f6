import { setTimeout as delay } from "node:timers/promises";

export interface Tally {
  calls: number;
  /** Calls that were due and not made, because too many were under way: an API server refuses those itself. */
  skipped: number;
  /** What failed, and how often. */
  readonly failures: Map<string, number>;
  readonly latenciesMs: number[];
}

/** An API server works on no more changing requests at once (`--max-mutating-requests-inflight`). */
const MOST_UNDER_WAY = 200;

/** Calls at an even pace until `ended`, whether or not answers keep up. Resolves when every call has its answer or its failure. */
export async function load(
  perSecond: number,
  call: (number: number) => Promise<void>,
  ended: AbortSignal,
): Promise<Tally> {
  const tally: Tally = { calls: 0, skipped: 0, failures: new Map(), latenciesMs: [] };
  const underWay = new Set<Promise<void>>();
  const begin = (): void => {
    const began = performance.now();
    const one = call(tally.calls++)
      .then(() => void tally.latenciesMs.push(performance.now() - began))
      .catch((error: Error) => {
        tally.failures.set(error.message, (tally.failures.get(error.message) ?? 0) + 1);
      })
      .finally(() => underWay.delete(one));
    underWay.add(one);
  };
  const start = performance.now();
  while (!ended.aborted) {
    const due = ((performance.now() - start) * perSecond) / 1000;
    while (tally.calls + tally.skipped < due) {
      if (underWay.size < MOST_UNDER_WAY) begin();
      else tally.skipped++;
    }
    await delay(2);
  }
  await Promise.all(underWay);
  return tally;
}
