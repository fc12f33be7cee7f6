import type { ProbeResult } from "../../patroni/probe.ts";
import { isPrimaryRole } from "../../patroni/status.ts";
import type { PodFacts } from "../facts/pod.ts";
import { publishedUids } from "../observer/due.ts";
import { ourSlice } from "../slice/ours.ts";
import { type UninjectedReason, uninjectedMembers, uninjectedReason } from "../uninjected/uninjected.ts";
import type { ClusterView } from "../view.ts";

/** The pod that was evicted last, by this process. */
export interface Evicted {
  readonly name: string;
  readonly uid: string;
}

export interface RepairFacts {
  readonly view: ClusterView;
  /** Undefined where nothing was evicted yet. */
  readonly evicted: Evicted | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What the members have just answered, by uid; undefined where they were not asked yet. */
  readonly answers: ReadonlyMap<string, ProbeResult> | undefined;
}

export type RepairPlan =
  /** Every pod is as it should be. */
  | { readonly kind: "rest" }
  /** The cluster is not, or not known to be, in a state in which it can do without a member. */
  | { readonly kind: "wait"; readonly why: string }
  /** All that the watches show is well: the members are to be asked. */
  | { readonly kind: "ask" }
  | { readonly kind: "evict"; readonly pod: PodFacts; readonly reason: UninjectedReason }
  /** The pod that was evicted is back, and no better: another one would be evicted in vain. */
  | { readonly kind: "stop"; readonly why: string };

/**
 * A pod that is younger came as it is a short while ago, and would come back as it is; a process that has just begun to lead does
 * not know of it. Milliseconds.
 */
export const YOUNG_MS = 3_600_000;

const wait = (why: string): RepairPlan => ({ kind: "wait", why });

/** The next step of a repair by eviction: one pod at a time, replicas first, and only while everything is well. Pure. */
export function planRepair(facts: RepairFacts): RepairPlan {
  const { view, evicted, answers } = facts;
  const wrong = uninjectedMembers(view);
  const unfinished = evicted && unfinishedEviction(view, evicted);
  if (unfinished !== undefined) return unfinished;
  if (wrong.length === 0) return { kind: "rest" };
  const why = WATCHED.map((check) => check(view)).find((found) => found !== undefined);
  if (why !== undefined) return wait(why);
  if (answers === undefined) return { kind: "ask" };
  const [primary, ...surplus] = publishedUids(ourSlice(view) ?? {});
  if (primary === undefined || surplus.length > 0) return wait("not exactly one primary is published");
  const unwell = view.members
    .map((pod) => unwellBy(pod, answers, primary))
    .find((found) => found !== undefined);
  if (unwell !== undefined) return wait(unwell);
  if (!isOneTimeline(view, answers)) return wait("the members are not on one timeline");
  return choice(wrong, primary, facts);
}

/** What the watches alone say against it. */
const WATCHED: readonly ((view: ClusterView) => string | undefined)[] = [
  ({ suspension }) => (suspension === undefined ? undefined : "sidecars are suspended in this namespace"),
  ({ members }) => (members.length < 2 ? "there is nobody to take over" : undefined),
  ({ members, templates }) => {
    const known = templates.map(({ workload }) => workload.uid);
    const stray = members.find(({ owner }) => owner?.kind !== "StatefulSet" || !known.includes(owner.uid));
    return stray && `${stray.name} belongs to no StatefulSet, which would make it anew`;
  },
  ({ templates }) => {
    const moving = templates.find(({ rollout }) => !rollout.settled);
    return moving && `the StatefulSet ${moving.workload.name} is not settled`;
  },
  ({ members, templates }) => {
    const wanted = templates.reduce((sum, { rollout }) => sum + rollout.replicas, 0);
    return members.length === wanted ? undefined : `there are ${members.length} members instead of ${wanted}`;
  },
  ({ members }) => {
    const odd = members.find(
      ({ ended, terminating, ready, sidecar }) => ended || terminating || !ready || sidecar === "down",
    );
    return odd && `${odd.name} is not ready`;
  },
  (view) => {
    const published = publishedUids(ourSlice(view) ?? {});
    const isMember = view.members.some(({ uid }) => uid === published[0]);
    return published.length === 1 && isMember ? undefined : "not exactly one primary is published";
  },
  (view) => {
    const [published] = publishedUids(ourSlice(view) ?? {});
    const rival = view.members.find((pod) => pod.uid !== published && isLabelledPrimary(pod));
    return rival && `${rival.name} has the label of a primary, and is not published`;
  },
];

/** Patroni's label `role`, and Spilo's. */
const isLabelledPrimary = ({ labels }: PodFacts): boolean =>
  ["role", "spilo-role"].some((key) => isPrimaryRole(labels[key]));

/** What stands in the way until the pod that was evicted is back, ready and as it should be. */
function unfinishedEviction(view: ClusterView, { name, uid }: Evicted): RepairPlan | undefined {
  const back = view.members.find((pod) => pod.name === name);
  if (back === undefined || back.uid === uid) return wait(`${name} was evicted and is not back`);
  const reason = uninjectedReason(back, view);
  if (reason !== undefined) return { kind: "stop", why: `${name} came back ${WORDS[reason]}` };
  const isWell = back.ready && back.sidecar !== "down";
  return isWell ? undefined : wait(`${name} is back and not ready yet`);
}

/** The pod that was evicted is back, ready, and as it should be. */
export const isBack = (view: ClusterView, evicted: Evicted): boolean =>
  unfinishedEviction(view, evicted) === undefined;

const WORDS: Readonly<Record<UninjectedReason, string>> = {
  "not-injected": "without the sidecar",
  "sidecar-suspended": "without the sidecar, which is suspended",
  "sidecar-outdated": "with another image of the sidecar",
};

/** What a member's answer says against taking any of them away. */
function unwellBy(
  { name, uid }: PodFacts,
  answers: ReadonlyMap<string, ProbeResult>,
  primary: string,
): string | undefined {
  const answer = answers.get(uid);
  if (answer?.kind !== "answered") return `${name} does not answer`;
  const { code, state, role, paused, unlocked, streaming } = answer.status;
  if (paused) return "Patroni is paused";
  if (unlocked) return `${name} knows of no leader`;
  if (state !== "running" && state !== "streaming") return `${name} is ${state ?? "in an unknown state"}`;
  const isPrimary = isPrimaryRole(role) && code === 200;
  if (isPrimary !== (uid === primary)) return `${name} is ${isPrimary ? "" : "not "}the primary, as it says`;
  if (uid === primary) return undefined;
  return streaming === false ? `${name} does not stream` : undefined;
}

function isOneTimeline({ members }: ClusterView, answers: ReadonlyMap<string, ProbeResult>): boolean {
  const timelines = members.map(({ uid }) => {
    const answer = answers.get(uid);
    return answer?.kind === "answered" ? answer.status.timeline : undefined;
  });
  return timelines[0] !== undefined && new Set(timelines).size === 1;
}

/** As a StatefulSet starts its pods anew, from the last to the first; the primary after all replicas. */
function choice(wrong: readonly PodFacts[], primary: string, { view, now }: RepairFacts): RepairPlan {
  const order = wrong.toSorted(
    (one, other) =>
      Number(one.uid === primary) - Number(other.uid === primary) ||
      other.name.localeCompare(one.name, "en", { numeric: true }),
  );
  const pod = order.find(({ createdAt }) => now - createdAt >= YOUNG_MS);
  const [first] = order;
  if (first === undefined) return { kind: "rest" };
  if (pod === undefined || (pod.uid === primary && first.uid !== primary))
    return wait(`${first.name} came only a short while ago`);
  const reason = uninjectedReason(pod, view);
  return reason === undefined ? { kind: "rest" } : { kind: "evict", pod, reason };
}
