import assert from "node:assert/strict";
import { test } from "node:test";
import { LagMeter } from "../../../src/sidecar/lag.ts";

test("an idle leader is no lag, however long ago the last transaction was", () => {
  const lag = new LagMeter();
  lag.leaderAt(100, 0);
  lag.replayedUpTo(100);
  assert.equal(lag.bytes(), 0);
  assert.equal(lag.seconds(3_600_000), 0);
});

test("the lag is the age of the oldest position that is not replayed", () => {
  const lag = new LagMeter();
  lag.replayedUpTo(50);
  lag.leaderAt(100, 1000);
  lag.leaderAt(200, 2000);
  assert.equal(lag.bytes(), 150);
  assert.equal(lag.seconds(5000), 4);
  lag.replayedUpTo(120);
  assert.equal(lag.bytes(), 80);
  assert.equal(lag.seconds(5000), 3);
  lag.replayedUpTo(200);
  assert.equal(lag.seconds(5000), 0);
});

test("a position that is replayed before it is heard of is no lag", () => {
  const lag = new LagMeter();
  lag.replayedUpTo(300);
  lag.leaderAt(200, 1000);
  assert.equal(lag.bytes(), 0);
  assert.equal(lag.seconds(9000), 0);
});

test("nothing is said before it is known what was replayed", () => {
  const lag = new LagMeter();
  lag.leaderAt(5_000_000, 0);
  assert.equal(lag.bytes(), 0);
  assert.equal(lag.seconds(9000), 0);
});

test("another timeline begins anew, below what the old one had reached", () => {
  const lag = new LagMeter();
  lag.leaderAt(1000, 0);
  lag.replayedUpTo(900);
  lag.reset();
  lag.replayedUpTo(900);
  lag.leaderAt(950, 100);
  assert.equal(lag.bytes(), 50);
  assert.equal(lag.seconds(1100), 1);
});

test("a standby that stands still for days keeps the age of the oldest position", () => {
  const lag = new LagMeter();
  lag.replayedUpTo(0);
  for (let second = 1; second <= 10_000; second++) lag.leaderAt(second, second * 1000);
  assert.equal(lag.bytes(), 10_000);
  assert.equal(lag.seconds(10_001_000), 10_000);
});
