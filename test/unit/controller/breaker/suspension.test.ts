import assert from "node:assert/strict";
import { it } from "node:test";
import {
  dataOf,
  isSuspended,
  readSuspensions,
  type Suspension,
} from "../../../../src/controller/breaker/suspension.ts";

const suspension: Suspension = {
  ...{ image: "a", reason: "ErrImagePull", pod: "pg-2", uid: "u", since: "2026-01-01T00:00:00.000Z" },
  ...{ failures: 3, probe: { pod: "pg-1", instead: "v" } },
};

it("what is written is read again", () => {
  const { probe: _, ...rest } = suspension;
  const all = new Map([
    ["db", suspension],
    ["shop", { ...rest, probe: undefined }],
  ]);
  assert.deepEqual(readSuspensions({ data: dataOf(all) }), all);
  assert.equal(readSuspensions(undefined).size, 0);
  assert.equal(readSuspensions({ data: null }).size, 0);
});

it("an entry that cannot be read suspends all the same", () => {
  for (const text of ["", "{", "[]", '{"failures":-1,"probe":{"pod":""}}', '{"failures":"x","probe":1}']) {
    const read = readSuspensions({ data: { db: text } }).get("db");
    assert.deepEqual([read?.image, read?.failures, read?.probe], ["", 0, undefined], text);
    assert.equal(isSuspended(read, "pg-1", ""), true);
  }
});

it("one pod is let through, by its name, where the image is the one that is tried", () => {
  assert.equal(isSuspended(undefined, "pg-1", "a"), false);
  assert.equal(isSuspended(suspension, "pg-1", "a"), false);
  assert.equal(isSuspended(suspension, "pg-2", "a"), true);
  assert.equal(isSuspended(suspension, undefined, "a"), true);
  assert.equal(isSuspended(suspension, "pg-1", "b"), true);
  assert.equal(isSuspended({ ...suspension, probe: undefined }, "pg-1", "a"), true);
});
