import { sameJson } from "../../json/same.ts";
import type { Json, JsonObject } from "../../json/value.ts";
import type { PairSlot } from "./slots.ts";

/** What becomes of the entries of a map. */
export interface MapChange {
  stays(pair: PairSlot): boolean;
  /** The entries to write behind this one, in their order. */
  addedBehind(pair: PairSlot): readonly (readonly [key: string, value: Json])[];
}

/**
 * `pairs` are those in the text. Keys of `before` that are not among them come from a merge key: a key that is added
 * overrides them, but none of them can go away. Undefined where the map must be written anew, for that reason or because
 * nothing stays.
 */
export function mapChange(
  pairs: readonly PairSlot[],
  before: JsonObject,
  after: JsonObject,
): MapChange | undefined {
  const written = new Map(pairs.filter(({ isMerge }) => !isMerge).map((pair) => [pair.key, pair]));
  const stays = (pair: PairSlot) => pair.isMerge || Object.hasOwn(after, pair.key);
  const last = pairs.findLast(stays);
  const losesMerged = Object.keys(before).some((key) => !written.has(key) && !Object.hasOwn(after, key));
  if (last === undefined || losesMerged) return undefined;

  const added = new Map<PairSlot, [string, Json][]>();
  let behind = last;
  for (const [key, value] of Object.entries(after)) {
    const pair = written.get(key);
    if (pair !== undefined) behind = pair;
    else if (value !== undefined && !(Object.hasOwn(before, key) && sameJson(before[key], value))) {
      const entries = added.get(behind) ?? [];
      added.set(behind, entries);
      entries.push([key, value]);
    }
  }
  return { stays, addedBehind: (pair) => added.get(pair) ?? [] };
}
