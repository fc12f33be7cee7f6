import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { IMAGES, NAMES, type Step, World } from "./world.ts";

const RUNS = Number(process.env.MODEL_RUNS ?? 1000);

const name = fc.constantFrom(...NAMES);
const image = fc.constantFrom(...IMAGES);
const one = fc.nat(1);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("create" as const), name, replica: one }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("kubelet" as const), name }) },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constant("pass" as const),
      seconds: fc.constantFrom(5, 20, 310, 620, 1300),
    }),
  },
  {
    weight: 9,
    arbitrary: fc.record({ do: fc.constant("try" as const), replica: one, isSlow: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("look" as const), leader: fc.constant(1) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("delete" as const, "crash" as const), name }) },
  fc.record({ do: fc.constant("image" as const), image, works: fc.boolean() }),
  fc.record({ do: fc.constant("configure" as const), image }),
  fc.record({ do: fc.constantFrom("look" as const, "restart" as const), leader: one }),
  fc.record({ do: fc.constant("freeze" as const), leader: fc.constant(1), frozen: fc.boolean() }),
  fc.record({ do: fc.constant("see" as const), replica: one }),
);

/** The leader looks every second, and most of what it writes is seen at once. */
const steps = fc.array(
  fc
    .tuple(step, fc.integer({ min: 0, max: 9 }))
    .map(([first, luck]): Step[] => [
      first,
      ...(luck > 0 ? [{ do: "look", leader: 0 } as const] : []),
      ...(luck > 2 ? [{ do: "see", replica: 0 } as const] : []),
      ...(luck > 3 ? [{ do: "see", replica: 1 } as const] : []),
    ]),
  { minLength: 10, maxLength: 60 },
);

/** Many stories begin with an image that no longer works, one pod that runs it, and one that shows that it does not work. */
const begun = (isBroken: boolean): Step[] =>
  isBroken
    ? [
        { do: "create", name: "pg-2", replica: 0 },
        { do: "kubelet", name: "pg-2" },
        { do: "image", image: "a", works: false },
        { do: "create", name: "pg-0", replica: 0 },
        { do: "kubelet", name: "pg-0" },
        { do: "look", leader: 0 },
        { do: "see", replica: 0 },
        { do: "see", replica: 1 },
      ]
    : [];

test(`sidecars that fail never hold back more than one pod at a time in ${RUNS} random sequences`, () => {
  const seen: Record<string, number> = {};
  fc.assert(
    fc.property(fc.boolean(), steps, (isBroken, sequence) => {
      const world = new World();
      for (const each of [...begun(isBroken), ...sequence.flat()]) world.play(each);
      world.recovers();
      for (const [what, count] of Object.entries(world.seen)) seen[what] = (seen[what] ?? 0) + count;
    }),
    { numRuns: RUNS },
  );
  // Sequences in which nothing is ever suspended, tried or held would prove nothing.
  for (const what of ["opened", "closed", "moved", "named", "without", "probes", "held"]) {
    assert.ok((seen[what] ?? 0) > RUNS / 50, `${what}: ${seen[what] ?? 0} times only`);
  }
});
