import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ACCOUNTS, type Step, World } from "./world.ts";

const RUNS = Number(process.env.MODEL_RUNS ?? 1500);

const shape = fc.record({
  account: fc.constantFrom(...ACCOUNTS),
  injected: fc.boolean(),
  selected: fc.boolean(),
  stripped: fc.boolean(),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("add-pod" as const), shape }),
  fc.record({
    do: fc.constant("add-pooler" as const),
    account: fc.constantFrom(...ACCOUNTS),
    injected: fc.boolean(),
  }),
  fc.record({ do: fc.constantFrom("remove-pooler" as const, "deselect-pooler" as const) }),
  fc.record({ do: fc.constantFrom("remove-pod" as const, "deselect-pod" as const) }),
  fc.record({ do: fc.constantFrom("add-set" as const, "remove-set" as const, "opt" as const) }),
  fc.record({ do: fc.constant("look" as const) }),
  fc.record({ do: fc.constant("prune" as const) }),
  fc.record({ do: fc.constant("pass" as const), hours: fc.constantFrom(1, 12, 23, 24, 30) }),
  fc.record({ do: fc.constant("clock" as const), hours: fc.constantFrom(-100, -1, 0, 1, 23, 24, 1000) }),
  fc.record({ do: fc.constant("touch" as const), index: fc.nat(20) }),
);

/** A look at the world and a pass come often, or little would ever happen. */
const steps = fc.array(
  fc
    .tuple(step, fc.boolean(), fc.boolean())
    .map(([first, look, pass]): Step[] => [
      first,
      ...(look ? [{ do: "look" } as const] : []),
      ...(pass ? [{ do: "prune" } as const] : []),
    ]),
  { maxLength: 40 },
);

test(`nothing that a running pod needs is taken away in ${RUNS} random sequences`, async () => {
  const seen: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(fc.constantFrom("own" as const, "server" as const), steps, async (clock, sequence) => {
      const world = new World(clock);
      for (const each of sequence.flat()) await world.play(each);
      for (const [what, count] of Object.entries(world.seen)) seen[what] = (seen[what] ?? 0) + count;
    }),
    { numRuns: RUNS },
  );
  // Sequences in which nothing is ever removed, or held back, would prove nothing.
  for (const what of ["removed", "services", "poolers", "marked", "unmarked", "held"]) {
    assert.ok((seen[what] ?? 0) > RUNS / 100, `${what}: ${seen[what] ?? 0} times only`);
  }
});
