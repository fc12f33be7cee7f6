import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Suspension } from "../../../../src/controller/breaker/suspension.ts";
import type { PodFacts } from "../../../../src/controller/facts/pod.ts";
import {
  type UninjectedReason,
  uninjectedFindings,
  uninjectedReason,
} from "../../../../src/controller/uninjected/uninjected.ts";
import type { ClusterView } from "../../../../src/controller/view.ts";
import { member, settingsOf, viewOf } from "../views.ts";

const suspension: Suspension = {
  ...{ image: "patroni-injector:1", reason: "ErrImagePull", pod: "pg-2", uid: "u", since: "" },
  ...{ failures: 0, probe: undefined },
};
const absent = { sidecar: "absent", container: undefined } as const;
const old = { container: { image: "patroni-injector:0", health: "running", why: "", restarts: 0 } } as const;

describe("a pod", () => {
  type Row = readonly [
    what: string,
    pod: Partial<PodFacts>,
    view: Partial<ClusterView>,
    reason: UninjectedReason | undefined,
  ];
  const rows: readonly Row[] = [
    ["as it should be", {}, {}, undefined],
    ["without a sidecar", absent, {}, "not-injected"],
    ["without one where sidecars are suspended", absent, { suspension }, "sidecar-suspended"],
    ["with one where sidecars are suspended", {}, { suspension }, undefined],
    ["with another image", old, {}, "sidecar-outdated"],
    ["where the namespace has not opted in", absent, { enabled: false }, undefined],
    ["that wants none", { ...absent, settings: settingsOf({ wantsSidecar: false }) }, {}, undefined],
    ["that has ended", { ...absent, ended: true }, {}, undefined],
    ["that is being deleted", { ...absent, terminating: true }, {}, undefined],
  ];
  for (const [what, pod, view, reason] of rows) {
    it(what, () => assert.equal(uninjectedReason(member(pod), viewOf(view)), reason));
  }
});

describe("what is told", () => {
  const told = (difference: Partial<ClusterView>) =>
    uninjectedFindings(viewOf(difference)).map(({ reason, detail }) => `${reason}: ${detail}`);

  it("nothing where all is well", () => assert.deepEqual(told({}), []));
  it("the pods, and the images", () => {
    const members = [member({ name: "pg-0", ...absent }), member({ name: "pg-1", ...absent }), member(old)];
    const outdated = "sidecar-outdated: patroni-injector:0 instead of patroni-injector:1";
    assert.deepEqual(told({ members }), ["not-injected: pg-0, pg-1", outdated]);
  });
  it("the same of two pods as of one, while they are restarted one by one", () => {
    assert.deepEqual(told({ members: [member(old), member(old)] }), told({ members: [member(old)] }));
  });
  it("a suspension, and on which pod it is tried", () => {
    const failed = "sidecar-suspended: ErrImagePull of patroni-injector:1 in pg-2";
    assert.deepEqual(told({ suspension }), [failed]);
    const tried = { ...suspension, probe: { pod: "pg-1", instead: "v" } };
    assert.deepEqual(told({ suspension: tried }), [
      `${failed}; pg-1 gets it when it is started anew, to see whether it works`,
    ]);
    const other = "sidecar-suspended: patroni-injector:1 has not run here yet";
    assert.deepEqual(told({ suspension: { ...suspension, reason: "" } }), [other]);
    assert.deepEqual(told({ suspension, enabled: false }), []);
  });
});
