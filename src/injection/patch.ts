import { sameJson } from "../json/same.ts";
import { isObject, type Json, type JsonObject } from "../json/value.ts";

/** One operation of RFC 6902, as far as they are used. */
export type PatchOperation =
  | { readonly op: "add" | "replace"; readonly path: string; readonly value: Json }
  | { readonly op: "remove"; readonly path: string };

/**
 * The operations that turn `before` into `after`; none where they are equal. Parts that both share are not walked. What
 * was put into a list, or taken out of it, in one place is told as such: the entries around it are not rewritten.
 */
export function patchBetween(before: JsonObject, after: JsonObject): PatchOperation[] {
  const operations: PatchOperation[] = [];
  difference(before, after, "", operations);
  return operations;
}

function difference(before: Json, after: Json, path: string, into: PatchOperation[]): void {
  if (before === after) return;
  if (Array.isArray(before) && Array.isArray(after)) listDifference(before, after, path, into);
  else if (isObject(before) && isObject(after)) objectDifference(before, after, path, into);
  else into.push({ op: "replace", path, value: after });
}

function objectDifference(before: JsonObject, after: JsonObject, path: string, into: PatchOperation[]): void {
  for (const key of Object.keys(before)) {
    if (!Object.hasOwn(after, key)) into.push({ op: "remove", path: below(path, key) });
  }
  for (const key of Object.keys(after)) {
    const value = after[key] as Json;
    if (Object.hasOwn(before, key)) difference(before[key] as Json, value, below(path, key), into);
    else into.push({ op: "add", path: below(path, key), value });
  }
}

function listDifference(
  before: readonly Json[],
  after: readonly Json[],
  path: string,
  into: PatchOperation[],
): void {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && sameJson(before[start], after[start])) start++;
  let end = 0;
  while (end < shorter - start && sameJson(before.at(-1 - end), after.at(-1 - end))) end++;
  const [last, lastAfter] = [before.length - end, after.length - end];

  for (let index = start; index < Math.min(last, lastAfter); index++) {
    difference(before[index] as Json, after[index] as Json, `${path}/${index}`, into);
  }
  for (let index = last - 1; index >= lastAfter; index--)
    into.push({ op: "remove", path: `${path}/${index}` });
  for (let index = last; index < lastAfter; index++) {
    into.push({ op: "add", path: `${path}/${index}`, value: after[index] as Json });
  }
}

const below = (path: string, key: string): string =>
  `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
