import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as primary from "../../../src/primary/round.ts";
import { loadMutant, MUTANTS } from "./mutants.ts";
import { play, schedules } from "./schedule.ts";
import { Violation } from "./world.ts";

const RUNS = Number(process.env.MODEL_RUNS ?? 4_000);

/** At most so many schedules are tried to find a mutant. */
const MUTANT_RUNS = 100_000;

test(`the slice keeps its promises in ${RUNS} random schedules`, () => {
  const seen: Record<string, number> = {};
  fc.assert(
    fc.property(schedules, (schedule) => {
      for (const [what, count] of Object.entries(play(primary, schedule).seen))
        seen[what] = (seen[what] ?? 0) + count;
    }),
    { numRuns: RUNS },
  );
  // A schedule that never loses an answer or meets a conflict would prove nothing about either.
  for (const what of ["published", "conflicts", "lost", "late", "expired", "refusedTerms", "remade"]) {
    assert.ok((seen[what] ?? 0) > RUNS / 100, `${what} happened ${seen[what] ?? 0} times only`);
  }
});

// Each rule of the round is taken out of a copy of the sources, one at a time: the model must then find a schedule that
// breaks a promise. A mutant that survives means that the model does not look at that rule.
for (const mutant of MUTANTS) {
  test(`without ${mutant.rule} the model fails`, async () => {
    const broken = await loadMutant(mutant);
    const result = fc.check(
      fc.property(schedules, (schedule) => void play(broken, schedule)),
      { numRuns: MUTANT_RUNS, endOnFailure: true },
    );
    assert.ok(result.failed, `${result.numRuns} schedules found nothing`);
    assert.ok(result.errorInstance instanceof Violation, String(result.errorInstance));
    assert.match(result.errorInstance.message, mutant.finds);
  });
}
