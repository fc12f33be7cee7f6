import { asObject, isObject, type Json, type JsonObject } from "../json/value.ts";
import { holds } from "./differs.ts";

/**
 * Of the fields that a write left with its writer (`fieldsV1` of server-side apply), those that the writer had named: what the API
 * server filled in by itself is nobody's, and a user may apply it without a conflict.
 *
 * In `fieldsV1` a key `f:<name>` is a field, `k:<json>` the entry of a list with these keys, `v:<json>` a value in a set, and `.` the
 * thing itself.
 */
export function named(fields: JsonObject, wanted: Json | undefined): JsonObject {
  const kept = Object.entries(fields).flatMap(([key, inner]): [string, Json][] => {
    if (key === "." || key.startsWith("v:")) return [[key, inner ?? {}]];
    const part = partOf(wanted, key);
    return part === undefined ? [] : [[key, named(asObject(inner) ?? {}, part)]];
  });
  return Object.fromEntries(kept);
}

function partOf(wanted: Json | undefined, key: string): Json | undefined {
  const [kind, text] = [key.slice(0, 2), key.slice(2)];
  if (kind === "f:") return isObject(wanted) ? wanted[text] : undefined;
  const keys: unknown = JSON.parse(text);
  return Array.isArray(wanted) ? wanted.find((entry) => holds(entry, keys as Json)) : undefined;
}
