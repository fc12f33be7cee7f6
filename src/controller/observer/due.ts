import { asString, at, type JsonObject, objectsIn } from "../../json/value.ts";
import type { PodFacts } from "../facts/pod.ts";

/** A slice that is empty, or names another than the DCS does, for this long is looked into. Milliseconds. */
export const TROUBLE_MS = 3000;

/** The member that is published is asked this often, though its sidecar does so too. Milliseconds. */
export const PUBLISHED_EVERY_MS = 10_000;

export interface DueFacts {
  readonly members: readonly PodFacts[];
  readonly slice: JsonObject;
  /** For how long the slice {@link isTroubled}. Milliseconds; 0 where it is not. */
  readonly troubledForMs: number;
  /** Since the published member was asked last. Milliseconds. */
  readonly sincePublishedAskedMs: number;
}

/**
 * The members that the controller is to ask in this second: those without a live sidecar, the published one now and then, and
 * all of them where the sidecars do not seem to get it right. Compare-and-swap makes a further writer harmless.
 */
export function dueMembers(facts: DueFacts): PodFacts[] {
  const all = facts.members.filter(
    ({ ended, ip, settings }) => !ended && ip !== undefined && settings.discovery,
  );
  if (facts.troubledForMs >= TROUBLE_MS) return all;
  const isPublishedDue = facts.sincePublishedAskedMs >= PUBLISHED_EVERY_MS;
  const published = publishedUids(facts.slice);
  return all.filter(
    ({ sidecar, uid }) => sidecar !== "running" || (isPublishedDue && published.includes(uid)),
  );
}

/** Nobody is published, or another than the DCS names. @param leader undefined where that is not known */
export function isTroubled(slice: JsonObject, leader: string | undefined): boolean {
  const names = objectsIn(slice.endpoints).map((endpoint) => asString(at(endpoint, "targetRef", "name")));
  return names.length === 0 || (leader !== undefined && names.some((name) => name !== leader));
}

export const publishedUids = (slice: JsonObject): string[] =>
  objectsIn(slice.endpoints).flatMap((endpoint) => asString(at(endpoint, "targetRef", "uid")) ?? []);
