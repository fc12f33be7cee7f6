import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  goneAt,
  type SliceEvent,
  shownAt,
  sliceMoments,
  twoAtOnce,
} from "../../e2e/analysis/slice-record.ts";

function event(atMs: number, type: string, name: string, ...addresses: string[]): SliceEvent {
  const endpoints = addresses.map((address) => ({ addresses: [address] }));
  return { atMs, type, object: { metadata: { name }, endpoints } };
}

describe("the states of a Service's slices", () => {
  test("are what all its slices hold together", () => {
    const moments = sliceMoments([
      event(1, "ADDED", "ours", "10.0.0.1"),
      event(2, "ADDED", "another", "10.0.0.2"),
      event(3, "MODIFIED", "ours"),
      event(4, "DELETED", "another", "10.0.0.2"),
    ]);
    assert.deepEqual(
      moments.map(({ addresses }) => addresses),
      [["10.0.0.1"], ["10.0.0.1", "10.0.0.2"], ["10.0.0.2"], []],
    );
    assert.deepEqual(
      twoAtOnce(moments).map(({ atMs }) => atMs),
      [2],
    );
  });

  test("count an address once that two slices hold, and one that is not ready", () => {
    const unready = {
      metadata: { name: "b" },
      endpoints: [{ addresses: ["10.0.0.2"], conditions: { ready: false } }],
    };
    const moments = sliceMoments([
      event(1, "ADDED", "a", "10.0.0.1"),
      event(2, "ADDED", "c", "10.0.0.1"),
      { atMs: 3, type: "ADDED", object: unready },
    ]);
    assert.deepEqual(
      moments.map(({ addresses }) => addresses.length),
      [1, 1, 2],
    );
  });

  test("are not made by bookmarks, errors and shapes that are none", () => {
    const events = [event(1, "BOOKMARK", "a", "x"), { atMs: 2, type: "ERROR", object: { code: 410 } }];
    assert.deepEqual(sliceMoments(events), []);
    assert.deepEqual(sliceMoments([{ atMs: 1, type: "ADDED", object: { metadata: { name: "a" } } }]), [
      { atMs: 1, addresses: [] },
    ]);
  });
});

describe("when an address stood in a slice", () => {
  const moments = sliceMoments([
    event(10, "ADDED", "s", "old"),
    event(20, "MODIFIED", "s"),
    event(30, "MODIFIED", "s", "new"),
  ]);
  const cases: readonly [what: string, actual: number | undefined, expected: number | undefined][] = [
    ["shown later", shownAt(moments, "new", 12), 30],
    ["shown already", shownAt(moments, "old", 12), 12],
    ["shown at the very moment", shownAt(moments, "new", 30), 30],
    ["never shown again", shownAt(moments, "old", 25), undefined],
    ["gone", goneAt(moments, "old", 12), 20],
    ["gone since before: the next state says so", goneAt(moments, "old", 25), 30],
    ["not gone", goneAt(moments, "new", 30), undefined],
  ];
  for (const [what, actual, expected] of cases) test(what, () => assert.equal(actual, expected));
});
