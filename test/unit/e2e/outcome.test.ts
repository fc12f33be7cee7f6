import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type FaultRecord, outcomeOf } from "../../e2e/analysis/outcome.ts";
import { promotionsIn } from "../../e2e/analysis/postgres-log.ts";
import type { Write } from "../../e2e/analysis/writes.ts";

const line = (ms: number, text: string): string => `${new Date(ms).toISOString()} ${text}`;

const PROMOTION = [
  line(5_000, "2026-11-21 LOG:  received promote request"),
  line(5_060, "2026-11-21 LOG:  selected new timeline ID: 2"),
  line(5_100, "2026-11-21 LOG:  database system is ready to accept connections"),
].join("\n");

const write = (n: number, endedMs: number, server: string): Write => ({
  n,
  sentMs: endedMs - 3,
  endedMs,
  outcome: "acknowledged",
  server,
});

const FAILOVER: FaultRecord = {
  struckMs: 1_000,
  writes: [write(1, 900, "a"), write(2, 1_010, "a"), write(3, 5_230, "b"), write(4, 5_250, "b")],
  stored: new Set([1, 2, 3, 4]),
  slice: [
    { atMs: 10, addresses: ["a"] },
    { atMs: 2_500, addresses: [] },
    { atMs: 5_180, addresses: ["b"] },
  ],
  formerIp: "a",
  currentIp: "b",
  primaryLog: PROMOTION,
};

describe("promotions in PostgreSQL's log", () => {
  test("begin with the request and end with PostgreSQL taking writes", () => {
    assert.deepEqual(promotionsIn(PROMOTION), [{ toldMs: 5_000, promotedMs: 5_100 }]);
  });

  test("are none where a server only starts, or takes reads", () => {
    const log = [
      line(1, "LOG:  database system is ready to accept connections"),
      line(2, "LOG:  received promote request"),
      line(3, "LOG:  database system is ready to accept read-only connections"),
    ];
    assert.deepEqual(promotionsIn(log.join("\n")), []);
  });
});

describe("the outcome of a fault", () => {
  test("gives each stretch of a failover", () => {
    const { unavailableMs, struckToPromotedMs, struckToRemovedMs, ...rest } = outcomeOf(FAILOVER);
    assert.deepEqual([unavailableMs, struckToPromotedMs, struckToRemovedMs], [4_220, 4_100, 1_500]);
    assert.deepEqual([rest.promotedToPublishedMs, rest.publishedToWrittenMs], [80, 50]);
    assert.deepEqual([rest.lost, rest.fromFormer, rest.twoAtOnce], [[], [], []]);
  });

  test("tells of two addresses at any moment of the record", () => {
    const slice = [{ atMs: 500, addresses: ["a", "b"] }, ...FAILOVER.slice];
    assert.deepEqual(
      outcomeOf({ ...FAILOVER, slice }).twoAtOnce.map(({ atMs }) => atMs),
      [500],
    );
  });

  test("has no stretches of a failover where the primary stayed", () => {
    const stayed = outcomeOf({
      ...FAILOVER,
      currentIp: "a",
      primaryLog: "",
      writes: FAILOVER.writes.slice(0, 2),
    });
    assert.deepEqual(
      [stayed.struckToPromotedMs, stayed.promotedToPublishedMs, stayed.publishedToWrittenMs],
      [undefined, undefined, undefined],
    );
    assert.equal(stayed.unavailableMs, 110);
  });

  test("names what was lost", () => {
    assert.deepEqual(outcomeOf({ ...FAILOVER, stored: new Set([1, 3, 4]) }).lost, [2]);
  });
});
