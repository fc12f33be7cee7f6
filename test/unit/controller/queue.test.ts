import assert from "node:assert/strict";
import { it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Queue } from "../../../src/controller/queue.ts";

const queueOf = (work: (key: string) => Promise<void>, workers = 2) => {
  const failures: string[] = [];
  const times = { firstPauseMs: 10, longestPauseMs: 20 };
  const queue = new Queue({ work, workers, times, onFailure: (key) => void failures.push(key) });
  return { queue, failures };
};

it("works on a key by one worker at a time, and once more where it was added meanwhile", async () => {
  let running = 0;
  let most = 0;
  let count = 0;
  const { queue } = queueOf(async () => {
    most = Math.max(most, ++running);
    await delay(10);
    running--;
    count++;
  });
  queue.add("a");
  for (let time = 0; time < 5; time++) queue.add("a");
  await queue.idle();
  assert.equal(most, 1);
  assert.equal(count, 2);
  assert.equal(queue.depth, 0);
});

it("has no more at work than it has workers", async () => {
  let running = 0;
  let most = 0;
  const { queue } = queueOf(async () => {
    most = Math.max(most, ++running);
    await delay(5);
    running--;
  }, 3);
  for (let key = 0; key < 10; key++) queue.add(String(key));
  assert.equal(queue.depth, 10);
  await queue.idle();
  assert.equal(most, 3);
  assert.equal(queue.depth, 0);
});

it("tries a key that failed again by itself, after a pause that being added does not shorten", async () => {
  let tries = 0;
  const { queue, failures } = queueOf(async () => {
    if (++tries < 3) throw new Error("not yet");
  });
  queue.add("a");
  await delay(0);
  queue.add("a");
  assert.equal(tries, 1);
  await queue.idle();
  assert.equal(tries, 3);
  assert.deepEqual(failures, ["a", "a"]);
  await queue.stop();
});

it("starts nothing after it was stopped", async () => {
  let tries = 0;
  const { queue } = queueOf(async () => {
    tries++;
    throw new Error("never");
  });
  queue.add("a");
  await delay(0);
  await queue.stop();
  await delay(50);
  queue.add("b");
  assert.equal(tries, 1);
  assert.equal(queue.depth, 0);
});
