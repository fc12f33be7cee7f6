import { isObject, type Json } from "../json/value.ts";

/** Lists to which others may add entries of their own: a Service's ports, which an apply merges by their keys. */
const SHARED_LISTS = ["spec.ports"];

/**
 * True where every part of `wanted` is in `live`. What the server or others add to objects is no difference; lists are whole
 * values, their entries compared one by one in the same way, but for those that are shared.
 */
export function holds(live: Json | undefined, wanted: Json | undefined, path = ""): boolean {
  if (isObject(wanted)) {
    return (
      isObject(live) &&
      Object.entries(wanted).every(([key, value]) => holds(live[key], value, path ? `${path}.${key}` : key))
    );
  }
  if (!Array.isArray(wanted)) return live === wanted;
  if (!Array.isArray(live)) return false;
  if (SHARED_LISTS.includes(path)) {
    return wanted.every((entry) => live.some((candidate) => holds(candidate, entry, `${path}[]`)));
  }
  return (
    live.length === wanted.length && wanted.every((entry, index) => holds(live[index], entry, `${path}[]`))
  );
}
