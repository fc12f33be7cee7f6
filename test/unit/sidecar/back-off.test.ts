import assert from "node:assert/strict";
import { test } from "node:test";
import { BackOff } from "../../../src/sidecar/back-off.ts";

test("pauses double up to five seconds, and begin anew after a success", () => {
  const backOff = new BackOff();
  let now = 0;
  const pauses = Array.from({ length: 10 }, () => {
    backOff.failed(now);
    const before = now;
    while (!backOff.isDue(now)) now += 1;
    return now - before;
  });
  for (const [index, pause] of pauses.entries()) {
    const most = Math.min(100 * 2 ** index, 5000);
    assert.ok(pause >= most / 2 && pause <= most + 1, `${pause} ms after failure ${index + 1}`);
  }
  backOff.succeeded();
  assert.ok(backOff.isDue(now));
});

test("news cut a pause short, but not one that the server asked for", () => {
  const backOff = new BackOff();
  backOff.failed(0);
  backOff.hurry();
  assert.ok(backOff.isDue(0));
  backOff.failed(0, 2000);
  backOff.hurry();
  assert.ok(!backOff.isDue(1999));
  assert.ok(backOff.isDue(2000));
});
