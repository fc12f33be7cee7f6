import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  EMPTY_MS,
  GONE_MS,
  type Memory,
  PAUSES,
  pauseAfter,
  type SeenPod,
  STEADY_MS,
  step,
} from "../../../../src/controller/breaker/machine.ts";
import type { Suspension } from "../../../../src/controller/breaker/suspension.ts";

const DATE = "2026-01-01T00:00:00.000Z";

const pod = (name: string, difference: Partial<SeenPod> = {}): SeenPod => ({
  ...{ name, uid: `uid-of-${name}`, image: "a", health: "running", why: "", steadyMs: STEADY_MS },
  ...{ returns: true, isPrimary: false },
  ...difference,
});
const failing = (name: string, difference: Partial<SeenPod> = {}): SeenPod =>
  pod(name, { health: "failing", why: "ErrImagePull", steadyMs: 0, ...difference });
const without = (name: string, difference: Partial<SeenPod> = {}): SeenPod =>
  pod(name, { image: undefined, health: "waiting", steadyMs: 0, ...difference });

const open = (difference: Partial<Suspension> = {}): Suspension => ({
  ...{ image: "a", reason: "ErrImagePull", pod: "pg-2", uid: "uid-of-pg-2", since: DATE },
  ...{ failures: 0, probe: undefined },
  ...difference,
});
const half = (difference: Partial<Suspension> = {}): Suspension =>
  open({ probe: { pod: "pg-1", instead: "before" }, ...difference });

const at = (now: number, image = "a") => ({ image, now, date: DATE });

/** The same is seen from one moment to another; what is remembered goes on. */
function after(
  ms: number,
  before: Suspension,
  pods: readonly SeenPod[],
  image = "a",
): Suspension | undefined {
  let memory: Memory = step(before, pods, {}, at(0, image)).memory;
  for (const now of [ms / 2, ms - 1]) {
    const early = step(before, pods, memory, at(now, image));
    assert.equal(early.suspension, before, "not before its time");
    memory = early.memory;
  }
  return step(before, pods, memory, at(ms, image)).suspension;
}
const next = (before: Suspension | undefined, ...pods: SeenPod[]) => step(before, pods, {}, at(0)).suspension;

describe("closed", () => {
  it("stays so while nothing fails", () =>
    assert.equal(next(undefined, pod("pg-0"), without("pg-1")), undefined));
  it("opens with the first that fails", () => {
    assert.deepEqual(next(undefined, pod("pg-0"), failing("pg-2"), failing("pg-3")), open());
  });
  it("does not mind what fails with another image than is configured", () => {
    assert.equal(next(undefined, failing("pg-2", { image: "old" })), undefined);
  });
});

describe("open", () => {
  it("stays so while anything fails, and nothing is tried meanwhile", () => {
    assert.equal(after(10 * PAUSES.longest, open(), [failing("pg-2"), without("pg-1")])?.probe, undefined);
  });
  it("goes on with another one that fails", () => {
    assert.deepEqual(next(open(), failing("pg-0", { why: "CrashLoopBackOff" })), {
      ...open({ reason: "CrashLoopBackOff", pod: "pg-0", uid: "uid-of-pg-0" }),
    });
  });
  it("closes where the one that failed runs, and stays", () => {
    assert.deepEqual(next(open(), pod("pg-2", { steadyMs: STEADY_MS - 1 })), open());
    assert.equal(next(open(), pod("pg-2")), undefined);
    assert.deepEqual(
      next(open(), pod("pg-2"), failing("pg-0"))?.pod,
      "pg-0",
      "while another one fails it does not",
    );
  });
  it("does not close for one that ran all the time", () =>
    assert.deepEqual(next(open(), pod("pg-0")), open()));
  it("tries one pod after the pause", () => {
    const tried = after(PAUSES.first, open(), [without("pg-1"), pod("pg-0")]);
    assert.deepEqual(tried?.probe, { pod: "pg-1", instead: "uid-of-pg-1" });
  });
  it("tries nothing beside one that has not started yet: it may still fail", () => {
    const slow = pod("pg-0", { health: "waiting", steadyMs: 0 });
    assert.equal(after(10 * PAUSES.longest, open(), [without("pg-1"), slow])?.probe, undefined);
  });
  it("a new leader waits anew, and one that remembers another suspension too", () => {
    const pods = [without("pg-1")];
    const { memory } = step(open(), pods, {}, at(0));
    assert.notEqual(step(open(), pods, memory, at(PAUSES.first)).suspension?.probe, undefined);
    assert.equal(step(open({ failures: 1 }), pods, memory, at(PAUSES.longest)).suspension?.probe, undefined);
    assert.equal(step(open(), pods, {}, at(PAUSES.longest)).suspension?.probe, undefined);
  });
  it("forgets a namespace that has been empty for long", () =>
    assert.equal(after(EMPTY_MS, open(), []), undefined));
});

describe("the pod that is tried on", () => {
  const rows: readonly [what: string, pods: SeenPod[], name: string | undefined][] = [
    ["one without a sidecar before one that runs", [pod("pg-3"), without("pg-1")], "pg-1"],
    ["the last, as a StatefulSet does", [without("pg-9"), without("pg-10"), without("pg-2")], "pg-10"],
    ["a replica before the primary", [without("pg-1"), without("pg-2", { isPrimary: true })], "pg-1"],
    ["not one that no other of its name follows", [without("x", { returns: false })], undefined],
  ];
  for (const [what, pods, name] of rows) {
    it(what, () => {
      const later = step(open(), pods, step(open(), pods, {}, at(0)).memory, at(PAUSES.first)).suspension;
      assert.equal(later?.probe?.pod, name);
    });
  }
});

describe("one is tried", () => {
  const came = (difference: Partial<SeenPod> = {}) => pod("pg-1", { uid: "new", ...difference });
  it("closes where it runs, and stays", () => assert.equal(next(half(), came()), undefined));
  it("waits for it", () => {
    assert.deepEqual(
      next(half(), pod("pg-1", { uid: "before" })),
      half(),
      "the one that was there before is none",
    );
    assert.deepEqual(next(half(), came({ health: "waiting" })), half());
    assert.deepEqual(next(half(), came({ steadyMs: 0 })), half());
  });
  it("opens where it fails, for longer", () => {
    const opened = open({ pod: "pg-1", uid: "new", failures: 1 });
    assert.deepEqual(next(half(), failing("pg-1", { uid: "new" })), opened);
    assert.equal(after(2 * PAUSES.first, opened, [without("pg-1")])?.probe?.pod, "pg-1");
  });
  it("opens where it came without the sidecar", () => {
    assert.deepEqual(next(half(), without("pg-1", { uid: "new" })), open({ failures: 1 }));
    assert.deepEqual(next(half(), came({ image: "b" })), open({ failures: 1 }));
  });
  it("gives up one that does not come back", () => {
    assert.deepEqual(after(GONE_MS, half(), [without("pg-0")]), open({ failures: 1 }));
  });
});

describe("another image", () => {
  it("is tried at once, first in the place of one that is stuck", () => {
    const pods = [without("pg-3"), failing("pg-2"), pod("pg-0")];
    const { suspension } = step(open({ failures: 4 }), pods, {}, at(0, "b"));
    assert.deepEqual(
      suspension,
      open({ image: "b", reason: "", probe: { pod: "pg-2", instead: "uid-of-pg-2" } }),
    );
  });
  it("opens anew where it fails already", () => {
    const { suspension } = step(half(), [failing("pg-0", { image: "b" })], {}, at(0, "b"));
    assert.deepEqual(suspension, open({ image: "b", pod: "pg-0", uid: "uid-of-pg-0" }));
  });
});

it("the pause doubles up to a bound", () => {
  assert.deepEqual([0, 1, 2, 3, 100].map(pauseAfter), [300_000, 600_000, 1_200_000, 2_400_000, 3_600_000]);
});
