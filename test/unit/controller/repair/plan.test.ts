import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import type { Suspension } from "../../../../src/controller/breaker/suspension.ts";
import type { PodFacts } from "../../../../src/controller/facts/pod.ts";
import {
  planRepair,
  type RepairFacts,
  type RepairPlan,
  YOUNG_MS,
} from "../../../../src/controller/repair/plan.ts";
import type { ClusterView } from "../../../../src/controller/view.ts";
import type { ProbeResult } from "../../../../src/patroni/probe.ts";
import { type MemberStatus, readStatus } from "../../../../src/patroni/status.ts";
import { endpointOf, member, ownSlice, service, settingsOf, viewOf } from "../views.ts";

const NOW = 10 * YOUNG_MS;
const SET = { apiVersion: "apps/v1", kind: "StatefulSet", name: "pg", uid: "set" };
const absent = { sidecar: "absent", container: undefined } as const;

const pod = (ordinal: number, difference: Partial<PodFacts> = {}): PodFacts =>
  member({ name: `pg-${ordinal}`, uid: `uid-${ordinal}`, owner: SET, ...difference });

/** Three members, the first of them the primary, and none with a sidecar. */
const MEMBERS = [0, 1, 2].map((ordinal) => pod(ordinal, absent));

function viewWith(
  difference: Partial<ClusterView> = {},
  published: readonly PodFacts[] = MEMBERS.slice(0, 1),
) {
  const rollout = { replicas: 3, settled: true };
  return viewOf({
    members: MEMBERS,
    templates: [{ namespace: "db", settings: settingsOf(), workload: SET, selector: undefined, rollout }],
    primaryService: service(),
    slices: [ownSlice(published.map(endpointOf))],
    ...difference,
  });
}

const status = (isPrimary: boolean, difference: Partial<MemberStatus> = {}): MemberStatus => ({
  ...readStatus(isPrimary ? 200 : 503, {
    ...{
      state: "running",
      role: isPrimary ? "primary" : "replica",
      timeline: 3,
      patroni: { version: "4.0.1" },
    },
    ...(isPrimary ? {} : { replication_state: "streaming" }),
  }),
  ...difference,
});

function answersOf(differences: Readonly<Record<string, Partial<MemberStatus> | ProbeResult>> = {}) {
  return new Map(
    ["uid-0", "uid-1", "uid-2"].map((uid): [string, ProbeResult] => {
      const difference = differences[uid] ?? {};
      if ("kind" in difference) return [uid, difference];
      return [uid, { kind: "answered", sentAt: 0, status: status(uid === "uid-0", difference) }];
    }),
  );
}

const plan = (difference: Partial<RepairFacts> = {}): RepairPlan =>
  planRepair({ view: viewWith(), evicted: undefined, now: NOW, answers: answersOf(), ...difference });

const short = (its: RepairPlan): string =>
  its.kind === "evict" ? `evict ${its.pod.name}` : "why" in its ? `${its.kind}: ${its.why}` : its.kind;

/** The members with some of them changed. */
const membersWith = (differences: Readonly<Record<number, Partial<PodFacts>>>): PodFacts[] =>
  MEMBERS.map((its, ordinal) => ({ ...its, ...differences[ordinal] }));
const well = {
  sidecar: "running",
  container: { image: "patroni-injector:1", health: "running", why: "", restarts: 0 },
} as const;
const old = { ...well, container: { ...well.container, image: "patroni-injector:0" } };

describe("who is next", () => {
  const rows: readonly [what: string, members: PodFacts[], next: string][] = [
    ["the last replica first", MEMBERS, "evict pg-2"],
    ["the next replica", membersWith({ 2: well }), "evict pg-1"],
    ["the primary last", membersWith({ 1: well, 2: well }), "evict pg-0"],
    ["one with an old image as well", membersWith({ 0: well, 1: old, 2: well }), "evict pg-1"],
    ["nobody where all are as they should be", membersWith({ 0: well, 1: well, 2: well }), "rest"],
    ["one that is young waits", membersWith({ 2: { createdAt: NOW - 1 } }), "evict pg-1"],
    [
      "the primary waits for a replica that is young",
      membersWith({ 1: well, 2: { createdAt: NOW - YOUNG_MS + 1 } }),
      "wait: pg-2 came only a short while ago",
    ],
  ];
  for (const [what, members, next] of rows) {
    it(what, () => assert.equal(short(plan({ view: viewWith({ members }) })), next));
  }
  it("the primary last, whatever its ordinal", () => {
    const answers = answersOf({ "uid-0": status(false), "uid-2": status(true) });
    const next = (members: PodFacts[]) =>
      short(plan({ view: viewWith({ members }, members.slice(2)), answers }));
    assert.equal(next(MEMBERS), "evict pg-1");
    assert.equal(next(membersWith({ 0: well, 1: well })), "evict pg-2");
  });
  it("the members are asked before anybody is", () =>
    assert.equal(short(plan({ answers: undefined })), "ask"));
});

const suspension: Suspension = {
  ...{ image: "a", reason: "ErrImagePull", pod: "pg-9", uid: "u", since: "", failures: 0, probe: undefined },
};
const [template] = viewWith().templates;
assert.ok(template);
const rolling = { ...template, rollout: { replicas: 3, settled: false } };
const four = { ...template, rollout: { replicas: 4, settled: true } };

/** Each is a reason to wait, by what the watches show. */
const UNWELL: readonly [what: string, view: ClusterView, why: RegExp][] = [
  ["sidecars are suspended", viewWith({ suspension, members: membersWith({ 1: old }) }), /suspended/],
  ["a single member", viewWith({ members: MEMBERS.slice(0, 1) }), /nobody to take over/],
  ["a bare pod", viewWith({ members: membersWith({ 1: { owner: undefined } }) }), /pg-1 belongs to no/],
  [
    "another's pod",
    viewWith({ members: membersWith({ 1: { owner: { ...SET, uid: "x" } } }) }),
    /pg-1 belongs to no/,
  ],
  ["a rollout", viewWith({ templates: [rolling] }), /not settled/],
  ["one is missing", viewWith({ templates: [four] }), /3 members instead of 4/],
  ["one is not ready", viewWith({ members: membersWith({ 1: { ready: false } }) }), /pg-1 is not ready/],
  [
    "one is being deleted",
    viewWith({ members: membersWith({ 1: { terminating: true } }) }),
    /pg-1 is not ready/,
  ],
  ["one has ended", viewWith({ members: membersWith({ 1: { ended: true } }) }), /pg-1 is not ready/],
  [
    "a sidecar is down",
    viewWith({ members: membersWith({ 1: { ...well, sidecar: "down" } }) }),
    /pg-1 is not ready/,
  ],
  ["nobody is published", viewWith({}, []), /not exactly one primary/],
  ["two are published", viewWith({}, MEMBERS.slice(0, 2)), /not exactly one primary/],
  ["a stranger is published", viewWith({}, [pod(7)]), /not exactly one primary/],
  ["there is no slice", viewWith({ slices: [] }), /not exactly one primary/],
  [
    "another has the primary's label",
    viewWith({ members: membersWith({ 2: { labels: { role: "master" } } }) }),
    /pg-2 has the label/,
  ],
  [
    "and Spilo's",
    viewWith({ members: membersWith({ 2: { labels: { "spilo-role": "primary" } } }) }),
    /pg-2 has the label/,
  ],
];

describe("it waits, by what the watches show:", () => {
  for (const [what, view, why] of UNWELL) {
    it(what, () => {
      for (const answers of [undefined, answersOf()]) {
        const its = plan({ view, answers });
        assert.match(short(its), why);
        assert.equal(its.kind, "wait");
      }
    });
  }
});

const silent: ProbeResult = { kind: "refused", sentAt: 0, postgres: "refused" };
/** Each is a reason to wait, by what the members say. */
const SAID: readonly [what: string, answers: RepairFacts["answers"], why: RegExp][] = [
  ["one is silent", answersOf({ "uid-1": silent }), /pg-1 does not answer/],
  ["one was not asked", new Map([...answersOf()].slice(0, 2)), /pg-2 does not answer/],
  ["Patroni is paused", answersOf({ "uid-2": { paused: true } }), /paused/],
  ["nobody holds the lock", answersOf({ "uid-2": { unlocked: true } }), /pg-2 knows of no leader/],
  ["one is starting", answersOf({ "uid-2": { state: "starting" } }), /pg-2 is starting/],
  ["one does not stream", answersOf({ "uid-2": { streaming: false } }), /pg-2 does not stream/],
  ["another says that it is the primary", answersOf({ "uid-2": status(true) }), /pg-2 is the primary/],
  ["the published one is none", answersOf({ "uid-0": status(false) }), /pg-0 is not the primary/],
  ["the published one has no lease", answersOf({ "uid-0": { code: 503 } }), /pg-0 is not the primary/],
  ["one is on another timeline", answersOf({ "uid-2": { timeline: 2 } }), /timeline/],
  [
    "nobody knows the timeline",
    answersOf(Object.fromEntries([0, 1, 2].map((n) => [`uid-${n}`, { timeline: undefined }]))),
    /timeline/,
  ],
];

describe("it waits, by what the members say:", () => {
  for (const [what, answers, why] of SAID) {
    it(what, () => {
      const its = plan({ answers });
      assert.match(short(its), why);
      assert.equal(its.kind, "wait");
    });
  }
  it("an old Patroni does not say whether it streams", () => {
    assert.equal(short(plan({ answers: answersOf({ "uid-2": { streaming: undefined } }) })), "evict pg-2");
  });
});

describe("after an eviction", () => {
  const evicted = { name: "pg-2", uid: "before" };
  const rows: readonly [what: string, pod: Partial<PodFacts> | undefined, next: RegExp][] = [
    ["it goes on where the pod is back as it should be", well, /^evict pg-1$/],
    ["it waits until it is gone", { uid: "before" }, /^wait: pg-2 was evicted/],
    ["it waits until it is back", undefined, /^wait: pg-2 was evicted/],
    ["it waits until it is ready", { ...well, ready: false }, /^wait: pg-2 is back and not ready/],
    ["it stops where it came back without the sidecar", absent, /^stop: pg-2 came back without the sidecar$/],
    ["it stops where it came back with an old one", old, /^stop: pg-2 came back with another image/],
  ];
  for (const [what, difference, next] of rows) {
    it(what, () => {
      const members = difference === undefined ? MEMBERS.slice(0, 2) : membersWith({ 2: difference });
      assert.match(short(plan({ view: viewWith({ members }), evicted })), next);
    });
  }
  it("it stops where sidecars were suspended meanwhile", () => {
    assert.match(short(plan({ view: viewWith({ suspension }), evicted })), /^stop: .* which is suspended$/);
  });
});

test("whatever is wrong beside it, nobody is evicted while anything stands against it", () => {
  const ordinal = fc.constantFrom(0, 1, 2);
  const shape = fc.constantFrom<Partial<PodFacts>>({}, well, old);
  fc.assert(
    fc.property(
      fc.constantFrom(...UNWELL.map(([, view]) => view), viewWith()),
      fc.constantFrom(...SAID.map(([, answers]) => answers), answersOf()),
      ordinal,
      shape,
      (view, answers, which, difference) => {
        const members = view.members.map((its) =>
          its.name === `pg-${which}` ? { ...its, ...difference } : its,
        );
        const its = plan({ view: { ...view, members }, answers });
        if (its.kind !== "evict") return;
        const isMember = members.filter(({ ready, terminating, ended }) => ready && !terminating && !ended);
        assert.equal(isMember.length, 3, "all are there");
        assert.equal(view.suspension, undefined);
        const said = [...(answers ?? [])].map(([, answer]) => answer);
        assert.equal(said.length, 3);
        for (const answer of said) {
          assert.ok(answer.kind === "answered" && !answer.status.paused && !answer.status.unlocked);
        }
        const isPrimary = its.pod.uid === "uid-0";
        const others = members.filter((each) => each.uid !== its.pod.uid);
        if (isPrimary) assert.ok(others.every(({ container }) => container?.image === "patroni-injector:1"));
      },
    ),
    { numRuns: 2000 },
  );
});
