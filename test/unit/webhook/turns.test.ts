import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { Turns } from "../../../src/webhook/turns.ts";

/** A queue whose clock moves only by what its jobs take. */
function scene() {
  const clock = { now: 0 };
  const turns = new Turns(() => clock.now);
  const log: number[] = [];
  const job = (number: number, takesMs = 1) =>
    turns.run(() => {
      log.push(number);
      clock.now += takesMs;
    });
  return { clock, turns, log, job };
}

describe("turns", () => {
  it("does a job at once where nobody waits and the turn has time left", async () => {
    const { log, job } = scene();
    const done = job(1);
    assert.deepEqual(log, [1]);
    assert.equal(await done, true);
  });

  it("lets the event loop go on after 20 ms of work, and does the rest in later turns, in order", async () => {
    const { log, job, turns } = scene();
    const jobs = Array.from({ length: 50 }, (_, number) => job(number));
    assert.equal(log.length, 20, "a turn of 20 ms");
    const seen: number[] = [];
    while (turns.waiting > 0) {
      await nextTurn();
      seen.push(log.length);
    }
    assert.deepEqual(seen, [40, 50]);
    assert.deepEqual(log, [...jobs.keys()]);
    assert.deepEqual([...new Set(await Promise.all(jobs))], [true]);
    assert.equal(turns.busyMs, 50);
  });

  it("does one job in a turn where one takes longer than that", async () => {
    const { log, job } = scene();
    for (let number = 0; number < 3; number++) void job(number, 100);
    assert.equal(log.length, 1);
    await nextTurn();
    assert.equal(log.length, 2);
  });

  it("takes no more than 512 that wait, and never does what it did not take", async () => {
    const { log, job, turns } = scene();
    const jobs = Array.from({ length: 20 + 512 + 5 }, (_, number) => job(number));
    assert.equal(turns.full, true);
    assert.equal(turns.waiting, 512);
    const taken = await Promise.all(jobs);
    assert.equal(taken.filter((wasDone) => !wasDone).length, 5);
    assert.equal(log.length, 532);
    assert.equal(turns.full, false);
    assert.equal(await job(600), true);
  });

  it("lets few wait while the event loop lags; who waits already keeps the place", async () => {
    const { job, turns } = scene();
    const before = Array.from({ length: 20 + 40 }, (_, number) => job(number));
    turns.shorten(true);
    assert.equal(turns.full, true);
    assert.equal(await job(100), false);
    assert.deepEqual([...new Set(await Promise.all(before))], [true]);
    turns.shorten(false);
    assert.equal(turns.full, false);
  });

  it("rejects with what a job throws, and goes on", async () => {
    const { job, turns } = scene();
    await assert.rejects(
      turns.run(() => {
        throw new Error("broken");
      }),
      /broken/,
    );
    assert.equal(await job(1), true);
  });

  it("does every job that it took once, in order, however they come", async () => {
    const arrivals = fc.array(fc.record({ takesMs: fc.nat(60), pause: fc.boolean() }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(arrivals, async (sequence) => {
        const { log, job } = scene();
        const jobs: Promise<boolean>[] = [];
        for (const [number, { takesMs, pause }] of sequence.entries()) {
          jobs.push(job(number, takesMs));
          if (pause) await nextTurn();
        }
        const taken = await Promise.all(jobs);
        assert.deepEqual(
          log,
          [...taken.keys()].filter((number) => taken[number]),
        );
      }),
      { numRuns: 50 },
    );
  });
});
