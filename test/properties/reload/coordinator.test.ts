import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Answer,
  type Effect,
  type Event,
  initialState,
  type State,
  type Waiter,
} from "../../../src/sidecar/reload/coordinator/state.ts";
import { MOST_WAITERS, nextDeadline, step } from "../../../src/sidecar/reload/coordinator/step.ts";

/** What happens in a run: versions come and go, callers come and go, reloads end, time passes. */
type Move =
  | { readonly kind: "ask"; readonly version: number; readonly patience: number }
  | { readonly kind: "leave"; readonly which: number }
  | { readonly kind: "materialise"; readonly version: number | undefined; readonly seen: boolean }
  | { readonly kind: "end"; readonly proven: boolean }
  | { readonly kind: "wait"; readonly ms: number };

const version = fc.integer({ min: 1, max: 6 });
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("ask"), version, patience: fc.integer({ min: 1, max: 50 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("leave"), which: fc.nat(20) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("materialise"),
      version: fc.option(version, { nil: undefined, freq: 8 }),
      seen: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("end"), proven: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait"), ms: fc.integer({ min: 1, max: 30 }) }) },
) as fc.Arbitrary<Move>;

/** A world around the coordinator that knows more than it: what is in the pod at each moment, and since when a reload runs. */
class World {
  now = 0;
  inPod: number | undefined;
  highestSeen = 0;
  state: State<string> = initialState();
  run: { version: number; clean: boolean; proven?: boolean } | undefined;
  lastProven: number | undefined;
  readonly waiting = new Map<number, Waiter>();
  #id = 0;

  play(move: Move): void {
    switch (move.kind) {
      case "ask": {
        const waiter = { id: ++this.#id, version: move.version, deadline: this.now + move.patience };
        const full = this.waiting.size >= MOST_WAITERS;
        this.waiting.set(waiter.id, waiter);
        this.take({ kind: "asked", waiter });
        assert.ok(!full || !this.waiting.has(waiter.id), "one too many is sent away at once");
        break;
      }
      case "leave": {
        const id = [...this.waiting.keys()][move.which];
        if (id === undefined) break;
        this.waiting.delete(id);
        this.take({ kind: "left", id });
        break;
      }
      case "materialise":
        this.inPod = move.version;
        // A change that nobody saw is found by the look at the reload's end; every reload begins with a look.
        if (move.seen || this.run === undefined) this.see();
        break;
      case "end": {
        const { run } = this;
        if (run === undefined) break;
        this.see();
        this.run = undefined;
        if (run.clean && move.proven) this.lastProven = run.version;
        const result = move.proven
          ? ({ kind: "proven", success: run } as const)
          : ({ kind: "failed", failure: "no" } as const);
        this.take({ kind: "ended", result }, run);
        break;
      }
      case "wait": {
        const until = this.now + move.ms;
        for (
          let due = nextDeadline(this.state);
          due !== undefined && due <= until;
          due = nextDeadline(this.state)
        ) {
          this.now = due;
          this.take({ kind: "passed" });
        }
        this.now = until;
      }
    }
  }

  see(): void {
    this.highestSeen = Math.max(this.highestSeen, this.inPod ?? 0);
    if (this.run !== undefined) this.run.clean &&= this.run.version === this.inPod;
    this.take({ kind: "seen", version: this.inPod });
  }

  take(event: Event<{ clean: boolean }, string>, ended?: { version: number; clean: boolean }): void {
    const { state, effects } = step<{ clean: boolean }, string>(this.state, event, this.now);
    this.state = state;
    for (const effect of effects) this.#obey(effect, ended);
    this.#hold();
  }

  #obey(effect: Effect<{ clean: boolean }, string>, ended?: { version: number; clean: boolean }): void {
    if (effect.kind === "start") {
      assert.equal(this.run, undefined, "two reloads at a time");
      assert.equal(effect.version, this.state.materialised);
      this.run = { version: effect.version, clean: true };
      return;
    }
    if (effect.kind === "concluded") {
      assert.equal(effect.result !== undefined, ended?.clean, "a result of two versions, or none of one");
      return;
    }
    const waiter = this.waiting.get(effect.id);
    assert.ok(waiter !== undefined, "an answer to nobody, or a second one");
    this.waiting.delete(effect.id);
    this.#judge(waiter, effect.answer, ended);
  }

  #judge(waiter: Waiter, answer: Answer<unknown, string>, ended?: { version: number; clean: boolean }): void {
    switch (answer.kind) {
      case "applied":
        assert.ok(ended?.clean, "proven while the version changed");
        assert.equal(answer.version, ended.version);
        assert.ok(answer.version >= waiter.version, "a lower version than was asked for");
        break;
      case "failed":
        assert.ok(ended?.clean && ended.version >= waiter.version, "another version's failure");
        break;
      case "not-materialised":
        assert.ok(waiter.deadline <= this.now && (answer.materialised ?? 0) < waiter.version);
        break;
      case "superseded":
        assert.ok(answer.materialised < waiter.version && waiter.version <= this.highestSeen);
        break;
      case "late":
        assert.ok(waiter.deadline <= this.now && (this.state.materialised ?? 0) >= waiter.version);
        break;
      case "busy":
        if (waiter.deadline > this.now) assert.ok(this.waiting.size >= MOST_WAITERS);
        else assert.ok(this.run !== undefined && this.run.version < waiter.version);
    }
  }

  #hold(): void {
    assert.deepEqual(
      [...this.waiting.keys()],
      this.state.waiters.map(({ id }) => id),
    );
    assert.ok(
      this.state.waiters.every(({ deadline }) => deadline > this.now),
      "somebody waits past the deadline",
    );
    assert.equal(this.state.applied, this.lastProven, "applied is what the last undisturbed reload proved");
    const { materialised, running, waiters } = this.state;
    const gone = (one: Waiter) => materialised !== undefined && one.version > materialised;
    assert.ok(
      !waiters.some((one) => gone(one) && one.version <= this.highestSeen),
      "waits for a version of the past",
    );
    const idle = running === undefined && materialised !== undefined;
    assert.ok(
      !(idle && waiters.some((one) => one.version <= materialised)),
      "nobody works for a version that is there",
    );
  }
}

test("whatever happens: one reload at a time, one answer each, in time, and none without proof", () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
      const world = new World();
      for (const one of moves) world.play(one);
    }),
    { numRuns: 400 },
  );
});

test("a hundred callers share one reload; one too many is sent away", () => {
  const world = new World();
  world.play({ kind: "materialise", version: 5, seen: true });
  for (let n = 0; n < 100; n++) world.play({ kind: "ask", version: 1 + (n % 5), patience: 50 });
  assert.equal(world.waiting.size, 100);
  world.play({ kind: "end", proven: true });
  assert.equal(world.waiting.size, 0);
  assert.equal(world.run, undefined, "no second reload");
  for (let n = 0; n < MOST_WAITERS + 1; n++) world.play({ kind: "ask", version: 6, patience: 50 });
  assert.equal(world.waiting.size, MOST_WAITERS);
});

test("a higher version waits for the running reload, and then has its own", () => {
  const world = new World();
  world.play({ kind: "materialise", version: 1, seen: true });
  world.play({ kind: "ask", version: 1, patience: 50 });
  world.play({ kind: "ask", version: 2, patience: 50 });
  world.play({ kind: "end", proven: true });
  assert.equal(world.run, undefined);
  world.play({ kind: "materialise", version: 2, seen: true });
  assert.equal((world.run as { version: number } | undefined)?.version, 2);
});
