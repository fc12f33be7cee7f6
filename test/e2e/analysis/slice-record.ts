import { asString, at, type Json, objectsIn } from "../../../src/json/value.ts";

/** One event of a watch of EndpointSlices, with the moment when the watcher read it. */
export interface SliceEvent {
  readonly atMs: number;
  readonly type: string;
  readonly object: Json;
}

/** What all slices of the Service together held from a moment on. */
export interface SliceMoment {
  readonly atMs: number;
  readonly addresses: readonly string[];
}

/** Every state that the watch saw, in order. Events of which nothing is known (bookmarks, errors) are no states. */
export function sliceMoments(events: readonly SliceEvent[]): SliceMoment[] {
  const slices = new Map<string, readonly string[]>();
  const moments: SliceMoment[] = [];
  for (const { atMs, type, object } of events) {
    const name = asString(at(object, "metadata", "name"));
    if (name === undefined || !["ADDED", "MODIFIED", "DELETED"].includes(type)) continue;
    if (type === "DELETED") slices.delete(name);
    else slices.set(name, addressesOf(object));
    moments.push({ atMs, addresses: [...new Set([...slices.values()].flat())] });
  }
  return moments;
}

/** Every address counts, ready or not. */
function addressesOf(slice: Json): string[] {
  return objectsIn(at(slice, "endpoints")).flatMap((endpoint) => {
    const { addresses } = endpoint;
    return Array.isArray(addresses) ? addresses.filter((address) => typeof address === "string") : [];
  });
}

/** The states that must never be. */
export const twoAtOnce = (moments: readonly SliceMoment[]): SliceMoment[] =>
  moments.filter(({ addresses }) => addresses.length > 1);

/** The first moment, not before `sinceMs`, when an address stood there. Counts an address that stood there already. */
export function shownAt(
  moments: readonly SliceMoment[],
  address: string,
  sinceMs: number,
): number | undefined {
  const before = moments.findLast(({ atMs }) => atMs < sinceMs);
  if (before?.addresses.includes(address)) return sinceMs;
  return moments.find(({ atMs, addresses }) => atMs >= sinceMs && addresses.includes(address))?.atMs;
}

/** The first moment, not before `sinceMs`, when an address stood there no more. */
export function goneAt(
  moments: readonly SliceMoment[],
  address: string,
  sinceMs: number,
): number | undefined {
  return moments.find(({ atMs, addresses }) => atMs >= sinceMs && !addresses.includes(address))?.atMs;
}
