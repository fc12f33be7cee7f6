import { isObject, type Json } from "../json/value.ts";

/**
 * True where every part of `wanted` is in `live`. What the server or others add to objects is no difference; lists are whole
 * values, their entries compared one by one in the same way.
 */
export function holds(live: Json | undefined, wanted: Json | undefined): boolean {
  if (isObject(wanted)) {
    return isObject(live) && Object.entries(wanted).every(([key, value]) => holds(live[key], value));
  }
  if (!Array.isArray(wanted)) return live === wanted;
  return (
    Array.isArray(live) &&
    live.length === wanted.length &&
    wanted.every((entry, index) => holds(live[index], entry))
  );
}
