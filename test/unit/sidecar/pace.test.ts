import assert from "node:assert/strict";
import { test } from "node:test";
import { standingOf } from "../../../src/primary/standing.ts";
import { type Circumstances, pollMs } from "../../../src/sidecar/pace.ts";
import { answered } from "./world.ts";

const settled = { leaving: false, leaderIsWatched: true, named: false, involved: false, changingForMs: 0 };
const REPLICA = answered(503, "replica", "running");

const ROWS: readonly (readonly [
  string,
  Partial<Circumstances> & Pick<Circumstances, "observation">,
  number,
])[] = [
  ["a settled replica with the watch", { observation: REPLICA }, 1000],
  ["a replica without it", { observation: REPLICA, leaderIsWatched: false }, 250],
  ["a replica that still stands in the slice", { observation: REPLICA, involved: true }, 250],
  [
    "a replica while nobody leads",
    { observation: answered(503, "replica", "running", { cluster_unlocked: true }) },
    250,
  ],
  ["the leader", { observation: answered(200, "primary", "running"), involved: true }, 250],
  ["a promotion", { observation: answered(200, "replica", "running") }, 50],
  ["a demotion", { observation: answered(200, "primary", "stopping"), involved: true }, 50],
  [
    "a promotion that takes long",
    { observation: answered(200, "replica", "running"), changingForMs: 10_000 },
    250,
  ],
  ["a replica that the leader object names already", { observation: REPLICA, named: true }, 50],
  ["a replica that it names for long", { observation: REPLICA, named: true, changingForMs: 10_000 }, 250],
  [
    "the leader, named",
    { observation: answered(200, "primary", "running"), named: true, involved: true },
    250,
  ],
  ["no answer", { observation: { kind: "silent", sentAt: 0, error: "" } }, 250],
  ["leaving, and still published", { observation: REPLICA, involved: true, leaving: true }, 100],
];
for (const [what, circumstances, expected] of ROWS) {
  test(`${what}: ${expected} ms`, () => {
    const standing = standingOf(circumstances.observation);
    assert.equal(pollMs({ ...settled, standing, ...circumstances }), expected);
  });
}
