import type { Suspension } from "./suspension.ts";

/** What is seen of one pod in which the sidecar is, or should be. */
export interface SeenPod {
  readonly name: string;
  readonly uid: string;
  /** The image that its sidecar was asked for; undefined where it has no sidecar. */
  readonly image: string | undefined;
  readonly health: "running" | "failing" | "waiting";
  /** The kubelet's word for the failure. */
  readonly why: string;
  /** For how long its sidecar has been seen to run without a restart. Milliseconds. */
  readonly steadyMs: number;
  /** A pod of the same name comes after it, as of a StatefulSet: it can be named as a probe. */
  readonly returns: boolean;
  /** Clients are led to it: it is the last to be tried on. */
  readonly isPrimary: boolean;
}

/** What the process that leads remembers of one suspension; one that begins to lead waits anew. Milliseconds of its own clock. */
export interface Memory {
  /** What is remembered is about a suspension that says this; of another one nothing is known. */
  readonly about?: string;
  /** Since when no sidecar fails, while none is tried. */
  readonly quietSince?: number;
  /** Since when there is no pod of the probe's name. */
  readonly goneSince?: number;
  /** Since when the namespace has no pods. */
  readonly emptySince?: number;
}

export interface Step {
  /** Undefined: pods of the namespace are admitted with the sidecar. */
  readonly suspension: Suspension | undefined;
  readonly memory: Memory;
}

export interface Moment {
  /** The image that is configured now. */
  readonly image: string;
  /** Milliseconds of the process's own clock. */
  readonly now: number;
  /** The time of day, for people. */
  readonly date: string;
}

/** Milliseconds. */
export const PAUSES = { first: 300_000, longest: 3_600_000 } as const;

/** A sidecar that has run for this long has started: what held a pod back no longer does. Milliseconds. */
export const STEADY_MS = 15_000;

/** A probe that was deleted and does not come back gives way to another one, after a pause. Milliseconds. */
export const GONE_MS = 300_000;

/** A namespace without pods for this long has no use for what is remembered of it. Milliseconds. */
export const EMPTY_MS = 3_600_000;

/** The pause before the next probe. Milliseconds. */
export const pauseAfter = (failures: number): number =>
  Math.min(PAUSES.longest, PAUSES.first * 2 ** Math.min(failures, 30));

/** A process that was paused may remember a suspension that others have brought further. */
const digest = ({ image, uid, failures, probe }: Suspension): string =>
  [image, uid, failures, probe?.pod, probe?.instead].join(" ");

/**
 * The breaker of one namespace: closed (no suspension), open, or open but for one probe.
 *
 * It opens when a sidecar of the configured image fails. It closes when the sidecar that failed, or the probe, runs. While any
 * fails there is no probe: the kubelet itself goes on trying there. Of probes there is one at a time, a pod of a certain name;
 * after one that failed, the next comes when that pod is gone and a pause is over that doubles. Another image is tried at once,
 * on one pod.
 */
export function step(
  before: Suspension | undefined,
  pods: readonly SeenPod[],
  memory: Memory,
  moment: Moment,
): Step {
  const known = before !== undefined && memory.about === digest(before) ? memory : {};
  const next = stepOf(before, pods, known, moment);
  const about = next.suspension === undefined ? {} : { about: digest(next.suspension) };
  return { ...next, memory: { ...next.memory, ...about } };
}

const FRESH: Memory = {};

function stepOf(
  before: Suspension | undefined,
  pods: readonly SeenPod[],
  memory: Memory,
  moment: Moment,
): Step {
  const failing = pods.filter((pod) => pod.image === moment.image && pod.health === "failing");
  const [failed] = failing;
  if (before === undefined) {
    return { suspension: failed && opened(failed, 0, moment, moment.date), memory: FRESH };
  }
  if (pods.length === 0) return emptied(before, memory, moment);
  if (before.image !== moment.image) return otherImage(before, pods, failed, moment);
  if (failed !== undefined) {
    const isKnown = before.probe === undefined && failing.some(({ uid }) => uid === before.uid);
    const { failures, since } = withoutProbe(before);
    return { suspension: isKnown ? before : opened(failed, failures, moment, since), memory: FRESH };
  }
  const works = pods.some(
    (pod) =>
      (pod.uid === before.uid || isProbe(before, pod)) &&
      pod.image === moment.image &&
      pod.health === "running" &&
      pod.steadyMs >= STEADY_MS,
  );
  if (works) return { suspension: undefined, memory: FRESH };
  return before.probe === undefined
    ? waited(before, pods, memory, moment)
    : tried(before, pods, memory, moment);
}

/** The pod that came in the place of the one that was there when the probe was named. */
const isProbe = ({ probe }: Suspension, { name, uid }: SeenPod): boolean =>
  probe !== undefined && probe.pod === name && probe.instead !== uid;

const opened = (
  { name, uid, why }: SeenPod,
  failures: number,
  { image }: Moment,
  since: string,
): Suspension => ({ image, reason: why, pod: name, uid, since, failures, probe: undefined });

/** A workload of one pod has none for a moment: that is no reason to forget. */
function emptied(before: Suspension, { emptySince }: Memory, { now }: Moment): Step {
  const since = emptySince ?? now;
  return { suspension: now - since >= EMPTY_MS ? undefined : before, memory: { emptySince: since } };
}

/** What failed says nothing of another image; neither does what runs. */
function otherImage(
  before: Suspension,
  pods: readonly SeenPod[],
  failed: SeenPod | undefined,
  moment: Moment,
): Step {
  if (failed !== undefined) return { suspension: opened(failed, 0, moment, before.since), memory: FRESH };
  const named = withProbe({ ...before, image: moment.image, reason: "", failures: 0 }, pods);
  return { suspension: named ?? before, memory: FRESH };
}

/** Nothing fails, and nothing is tried. What has not started yet may still fail: nothing is tried beside it. */
function waited(before: Suspension, pods: readonly SeenPod[], { quietSince }: Memory, moment: Moment): Step {
  const { image, now } = moment;
  if (pods.some((pod) => pod.image === image && pod.health === "waiting"))
    return { suspension: before, memory: FRESH };
  const since = quietSince ?? now;
  const named = now - since >= pauseAfter(before.failures) ? withProbe(before, pods) : undefined;
  return { suspension: named ?? before, memory: named === undefined ? { quietSince: since } : FRESH };
}

/** A probe is named, and neither fails nor runs for long enough yet. */
function tried(before: Suspension, pods: readonly SeenPod[], { goneSince }: Memory, moment: Moment): Step {
  const giveUp = { suspension: withoutProbe(before), memory: { quietSince: moment.now } };
  const there = pods.find(({ name }) => name === before.probe?.pod);
  if (there === undefined) {
    const since = goneSince ?? moment.now;
    return moment.now - since >= GONE_MS ? giveUp : { suspension: before, memory: { goneSince: since } };
  }
  // It came without the sidecar, or with that of an older configuration: the webhook was not asked, or asked too early.
  const isMissed = isProbe(before, there) && there.image !== moment.image;
  return isMissed ? giveUp : { suspension: before, memory: FRESH };
}

/** Nobody is tried on any more; where somebody was, that came to nothing. */
const withoutProbe = (before: Suspension): Suspension =>
  before.probe === undefined ? before : { ...before, probe: undefined, failures: before.failures + 1 };

/** The suspension with the pod to be tried on, or undefined where none can be named. */
function withProbe(before: Suspension, pods: readonly SeenPod[]): Suspension | undefined {
  const [best] = pods
    .filter(({ returns }) => returns)
    .sort((one, other) => rank(one) - rank(other) || later(one, other));
  return best && { ...before, probe: { pod: best.name, instead: best.uid } };
}

/** First what must be started anew anyway: what is stuck, then what has no sidecar; the primary after its replicas. */
function rank({ health, image, isPrimary }: SeenPod): number {
  const need = image !== undefined && health === "failing" ? 0 : image === undefined ? 1 : 2;
  return need + (isPrimary && need > 0 ? 3 : 0);
}

/** A StatefulSet starts its pods anew from the last to the first. */
const later = (one: SeenPod, other: SeenPod): number =>
  other.name.localeCompare(one.name, "en", { numeric: true });
