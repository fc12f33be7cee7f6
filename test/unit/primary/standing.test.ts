import assert from "node:assert/strict";
import { test } from "node:test";
import { readStatus } from "../../../src/patroni/status.ts";
import { type Observation, type Standing, standingOf } from "../../../src/primary/standing.ts";

const answered = (code: number, body: object): Observation => ({
  kind: "answered",
  sentAt: 0,
  status: readStatus(code, { timeline: 4, database_system_identifier: "7391", ...body }),
});
const unlocked = { cluster_unlocked: true };
const paused = { pause: true };

const ROWS: readonly (readonly [string, Observation, Standing["kind"]])[] = [
  ["a primary of 4.x", answered(200, { role: "primary", state: "running" }), "primary"],
  ["a primary of 3.x", answered(200, { role: "master", state: "running" }), "primary"],
  ["the lease before the promotion", answered(200, { role: "replica", state: "running" }), "lost"],
  ["stopping under the lease", answered(200, { role: "primary", state: "stopping" }), "lost"],
  ["stopped under the lease", answered(200, { role: "demoted", state: "stopped" }), "lost"],
  ["a crash under the lease", answered(200, { role: "primary", state: "crashed" }), "unclear"],
  ["a restart in place", answered(200, { role: "primary", state: "starting" }), "unclear"],
  ["an unknown state", answered(200, { role: "primary", state: "unknown" }), "unclear"],
  ["a state of a later version", answered(200, { role: "primary", state: "warming up" }), "unclear"],
  ["a replica", answered(503, { role: "replica", state: "running" }), "lost"],
  ["woken up after its lease", answered(503, { role: "primary", state: "stopping" }), "lost"],
  ["503 under role primary and running", answered(503, { role: "primary", state: "running" }), "lost"],
  ["503 without a body", { kind: "answered", sentAt: 0, status: readStatus(503, undefined) }, "lost"],
  ["200 without a body", { kind: "answered", sentAt: 0, status: readStatus(200, undefined) }, "unclear"],
  ["a standby cluster's leader", answered(503, { role: "standby_leader", state: "running" }), "lost"],
  ["an error of Patroni's own", answered(500, {}), "unclear"],
  [
    "no timeline",
    { kind: "answered", sentAt: 0, status: readStatus(200, { role: "primary", state: "running" }) },
    "unclear",
  ],
  ["unlocked alone", answered(200, { role: "primary", state: "running", ...unlocked }), "primary"],
  ["paused alone", answered(200, { role: "primary", state: "running", ...paused }), "primary"],
  [
    "paused with an expired view of the DCS",
    answered(200, { role: "primary", state: "running", ...paused, ...unlocked }),
    "unclear",
  ],
  [
    "the same, and no lease",
    answered(503, { role: "primary", state: "running", ...paused, ...unlocked }),
    "unclear",
  ],
  [
    "the same, stopping",
    answered(200, { role: "primary", state: "stopping", ...paused, ...unlocked }),
    "unclear",
  ],
  [
    "the same, as a replica",
    answered(503, { role: "replica", state: "running", ...paused, ...unlocked }),
    "lost",
  ],
  ["the same, demoted", answered(503, { role: "demoted", state: "stopped", ...paused, ...unlocked }), "lost"],
  ["a time-out", { kind: "silent", sentAt: 0, error: "nothing in 1000 ms" }, "unclear"],
  ["Patroni gone, PostgreSQL there", { kind: "refused", sentAt: 0, postgres: "open" }, "unclear"],
  ["Patroni gone, PostgreSQL not known", { kind: "refused", sentAt: 0, postgres: "unknown" }, "unclear"],
  ["both gone", { kind: "refused", sentAt: 0, postgres: "refused" }, "lost"],
];

for (const [what, observation, expected] of ROWS) {
  test(`${what}: ${expected}`, () => assert.equal(standingOf(observation).kind, expected));
}

test("a primary's term is the system identifier, as a string, and the timeline", () => {
  const standing = standingOf(answered(200, { role: "primary", state: "running" }));
  assert.deepEqual(standing, { kind: "primary", term: { system: "7391", timeline: 4 } });
});
