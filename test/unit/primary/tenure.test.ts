import assert from "node:assert/strict";
import { test } from "node:test";
import { TenureClock } from "../../../src/primary/tenure.ts";

function clock(...heard: readonly (readonly [at: number, leader: string | undefined])[]): TenureClock {
  const tenure = new TenureClock();
  for (const [at, leader] of heard) tenure.seen(leader, at);
  return tenure;
}

test("a tenure goes on while the leader is confirmed", () => {
  assert.equal(clock([0, "a"], [10_000, "a"], [20_000, "a"]).namedForMs("a", 31_000), 31_000);
});

test("it is another's while another is named", () => {
  assert.equal(clock([0, "a"], [10_000, "b"]).namedForMs("a", 11_000), 0);
});

test("it begins again after a break, by another or by nobody", () => {
  assert.equal(clock([0, "a"], [10_000, "b"], [10_001, "a"]).namedForMs("a", 12_001), 2000);
  assert.equal(clock([0, "a"], [10_000, undefined], [10_001, "a"]).namedForMs("a", 12_001), 2000);
});

test("it begins again after an interrupted view", () => {
  const tenure = clock([0, "a"]);
  tenure.broken();
  assert.equal(tenure.namedForMs("a", 100), 0);
  tenure.seen("a", 200);
  assert.equal(tenure.namedForMs("a", 300), 100);
});

// A process that was frozen finds an old view and a late clock when it wakes.
test("a freeze, or a source that fell silent, ends it", () => {
  const tenure = clock([0, "a"]);
  assert.equal(tenure.namedForMs("a", 60_000), 0);
  tenure.seen("a", 60_000);
  assert.equal(tenure.namedForMs("a", 60_500), 500);
});
