import assert from "node:assert/strict";
import { test } from "node:test";
import { Alarm } from "../../../src/sidecar/alarm.ts";

const PAUSE_MS = 10_000;

test("ends a pause", { timeout: 2000 }, async () => {
  const alarm = new Alarm();
  const pause = alarm.sleep(PAUSE_MS);
  alarm.ring();
  await pause;
});

// What is told while Patroni is asked must not wait for the next poll.
test("what rings before a pause ends it at once, unless it was taken care of", {
  timeout: 2000,
}, async () => {
  const alarm = new Alarm();
  alarm.ring();
  await alarm.sleep(PAUSE_MS);
  alarm.clear();
  const began = performance.now();
  await alarm.sleep(50);
  assert.ok(performance.now() - began >= 45);
});
