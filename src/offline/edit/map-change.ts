import { sameJson } from "../../json/same.ts";
import type { Json, JsonObject } from "../../json/value.ts";

export const MERGE_KEY = "<<";

/** What becomes of the entries of a map, told by the keys that stand in the text. */
export interface MapChange {
  stays(key: string): boolean;
  /** The entries to write behind the one of this key, in their order. */
  addedBehind(key: string): readonly (readonly [key: string, value: Json])[];
}

/**
 * `keys` are those in the text. Further keys of `before` come from a merge key: a key that is added overrides them, but
 * none of them can go away. Undefined where the map must be written anew, for that reason or because nothing stays.
 */
export function mapChange(
  keys: readonly string[],
  before: JsonObject,
  after: JsonObject,
): MapChange | undefined {
  const written = new Set(keys);
  const stays = (key: string) => Object.hasOwn(after, key) || key === MERGE_KEY;
  const last = keys.findLast(stays);
  const losesMerged = Object.keys(before).some((key) => !written.has(key) && !Object.hasOwn(after, key));
  if (last === undefined || losesMerged) return undefined;

  const added = new Map<string, [string, Json][]>();
  let behind = last;
  for (const [key, value] of Object.entries(after)) {
    if (written.has(key)) behind = key;
    else if (value !== undefined && !(Object.hasOwn(before, key) && sameJson(before[key], value))) {
      added.set(behind, [...(added.get(behind) ?? []), [key, value]]);
    }
  }
  return { stays, addedBehind: (key) => added.get(key) ?? [] };
}
