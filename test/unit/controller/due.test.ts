import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DueFacts, dueMembers, isTroubled } from "../../../src/controller/observer/due.ts";
import { endpointOf, member, ownSlice, settingsOf } from "./views.ts";

const one = member();
const two = member({ name: "pg-1", uid: "uid-1", ip: "10.0.0.2", addresses: ["10.0.0.2"] });
const slice = ownSlice([endpointOf(one)]);

const due = (facts: Partial<DueFacts>): string[] =>
  dueMembers({ members: [one, two], slice, troubledForMs: 0, sincePublishedAskedMs: 0, ...facts }).map(
    ({ name }) => name,
  );

describe("members that the controller asks", () => {
  it("none, where all have a sidecar that runs", () => assert.deepEqual(due({}), []));
  it("those whose sidecar does not run, or that have none", () => {
    assert.deepEqual(due({ members: [one, { ...two, sidecar: "down" }] }), ["pg-1"]);
    assert.deepEqual(due({ members: [one, { ...two, sidecar: "absent" }] }), ["pg-1"]);
  });
  it("the published one every ten seconds", () => {
    assert.deepEqual(due({ sincePublishedAskedMs: 9_999 }), []);
    assert.deepEqual(due({ sincePublishedAskedMs: 10_000 }), ["pg-0"]);
  });
  it("all, after three seconds of trouble", () => {
    assert.deepEqual(due({ troubledForMs: 2999 }), []);
    assert.deepEqual(due({ troubledForMs: 3000 }), ["pg-0", "pg-1"]);
  });
  it("never one that has ended, has no address, or is not to be published", () => {
    const members = [
      { ...one, ended: true },
      { ...one, ip: undefined },
      { ...one, settings: settingsOf({ discovery: false }) },
    ];
    assert.deepEqual(due({ members, troubledForMs: 3000 }), []);
  });
});

describe("trouble", () => {
  it("an empty slice", () => assert.equal(isTroubled(ownSlice(), undefined), true));
  it("another than the leader", () => assert.equal(isTroubled(slice, "pg-1"), true));
  it("not the leader itself, nor where nobody knows the leader", () => {
    assert.equal(isTroubled(slice, "pg-0"), false);
    assert.equal(isTroubled(slice, undefined), false);
  });
});
