import { parseObject } from "../../json/parse.ts";
import { asObject, asString, at, type JsonObject } from "../../json/value.ts";

/**
 * Why pods of a namespace are admitted without the sidecar. Kept in a ConfigMap, one key a namespace, so that every replica of the
 * webhook decides alike, and the next leader goes on from there. Nothing in it has to be compared with anybody's clock.
 */
export interface Suspension {
  /** The image that failed, as it was asked for. */
  readonly image: string;
  /** The kubelet's word; empty where this image has not failed yet: another one did. */
  readonly reason: string;
  /** Where that was seen last. */
  readonly pod: string;
  readonly uid: string;
  /** For people. */
  readonly since: string;
  /** Probes that came to nothing. The pause before the next one grows with each. */
  readonly failures: number;
  /** The one pod that may have the sidecar, to see whether it works again. */
  readonly probe: Probe | undefined;
}

export interface Probe {
  readonly pod: string;
  /** The uid of the pod of that name that was there before and is no probe; empty where there was none. */
  readonly instead: string;
}

/** Suspensions by namespace. */
export type Suspensions = ReadonlyMap<string, Suspension>;

/**
 * Whether a pod is to be admitted without the sidecar. The same for the same pod, however often and by whomever it is asked: a
 * name stands for one pod at a time, so that not two can be admitted as the probe. A replica whose configuration names another
 * image than the leader's has no say in the probe.
 *
 * @param pod its name; undefined where it has none yet
 */
export function isSuspended(
  suspension: Suspension | undefined,
  pod: string | undefined,
  image: string,
): boolean {
  if (suspension === undefined) return false;
  const isProbe = pod !== undefined && suspension.probe?.pod === pod && suspension.image === image;
  return !isProbe;
}

/** What the ConfigMap says. An entry that cannot be read suspends all the same, until the leader writes it anew. */
export function readSuspensions(configMap: JsonObject | undefined): Map<string, Suspension> {
  const entries = Object.entries(asObject(configMap?.data) ?? {});
  return new Map(entries.map(([namespace, text]) => [namespace, read(asString(text) ?? "")]));
}

/** The `data` of the ConfigMap. */
export const dataOf = (suspensions: Suspensions): JsonObject =>
  Object.fromEntries([...suspensions].map(([namespace, entry]) => [namespace, JSON.stringify(entry)]));

function read(text: string): Suspension {
  const entry = parseObject(text) ?? {};
  const word = (key: string): string => asString(entry[key]) ?? "";
  const failures = Number(entry.failures);
  const pod = asString(at(entry.probe, "pod"));
  return {
    image: word("image"),
    reason: word("reason"),
    pod: word("pod"),
    uid: word("uid"),
    since: word("since"),
    failures: Number.isSafeInteger(failures) && failures > 0 ? failures : 0,
    probe: pod ? { pod, instead: asString(at(entry.probe, "instead")) ?? "" } : undefined,
  };
}
