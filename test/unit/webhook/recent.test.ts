import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ReviewRecord } from "../../../src/injection/review.ts";
import { RecentDecisions } from "../../../src/webhook/recent.ts";

const review = (changes: Partial<ReviewRecord> = {}): ReviewRecord => ({
  ...{ uid: "u", namespace: "db", name: "pg-0", mode: "audit", dryRun: false, decision: "inject" },
  ...{ reason: "injected", notes: [], applied: [], patchOperations: 0 },
  ...changes,
});

const HOUR_MS = 3_600_000;

function remembering() {
  const clock = { ms: Date.UTC(2026, 0, 1) };
  return { clock, recent: new RecentDecisions(() => clock.ms) };
}

describe("what a replica remembers", () => {
  it("is what pods in audit mode would have got: no dry-runs, and nothing of other namespaces", () => {
    const { recent } = remembering();
    for (const changes of [{}, { name: "tried", dryRun: true }, { name: "done", mode: "enabled" as const }])
      recent.keep(review(changes));
    assert.deepEqual(
      recent.told().decisions.map(({ name }) => name),
      ["pg-0"],
    );
  });

  it("is an hour old at most", () => {
    const { clock, recent } = remembering();
    const start = clock.ms;
    recent.keep(review());
    clock.ms = start + HOUR_MS;
    recent.keep(review({ name: "pg-1" }));
    assert.equal(recent.told().decisions.length, 2);
    clock.ms++;
    assert.deepEqual(
      recent.told().decisions.map(({ name }) => name),
      ["pg-1"],
    );
    assert.equal(recent.told().since, new Date(start + 1).toISOString());
  });

  it("is bounded, and says from when on it is whole", () => {
    const { clock, recent } = remembering();
    const start = clock.ms;
    assert.equal(recent.told().since, new Date(start).toISOString());
    for (let index = 0; index < 1000; index++) {
      clock.ms++;
      recent.keep(review({ name: `pg-${index}` }));
    }
    const { since, decisions } = recent.told();
    assert.equal(decisions.length, 400);
    assert.deepEqual([decisions[0]?.name, decisions.at(-1)?.name], ["pg-600", "pg-999"]);
    assert.equal(since, decisions[0]?.at);
  });

  it("fits into what a reader takes, whatever the names", () => {
    const { recent } = remembering();
    const name = "n".repeat(253);
    for (let index = 0; index < 500; index++) recent.keep(review({ name, namespace: "s".repeat(63) }));
    assert.ok(JSON.stringify(recent.told()).length < 256 * 1024);
  });
});
