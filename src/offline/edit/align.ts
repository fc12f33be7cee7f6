import { isObject, type Json } from "../../json/value.ts";

/** What became of the entries of a list, in the order of the new list; a deletion stands where the entry stood. */
export type Step =
  | { readonly kind: "keep"; readonly before: number; readonly after: number }
  | { readonly kind: "insert"; readonly after: number }
  | { readonly kind: "delete"; readonly before: number };

/** Above this the middle of two lists is not compared entry by entry. */
const MOST_COMPARISONS = 1_000_000;

/**
 * Aligns two lists by the names of their objects (by the whole entry where it has none). Lists of the same length whose
 * names agree are the same entries, changed in their place.
 */
export function align(before: readonly Json[], after: readonly Json[]): Step[] {
  const isInPlace =
    before.length === after.length && before.every((entry, i) => nameOf(entry) === nameOf(after[i]));
  if (isInPlace) return before.map((_, index) => ({ kind: "keep", before: index, after: index }));

  const old = before.map(identity);
  const now = after.map(identity);
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head++;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head && old.at(-1 - tail) === now.at(-1 - tail))
    tail++;

  const keep = (from: number, to: number, count: number): Step[] =>
    Array.from({ length: count }, (_, index) => ({ kind: "keep", before: from + index, after: to + index }));
  return [
    ...keep(0, 0, head),
    ...middle(old.slice(head, old.length - tail), now.slice(head, now.length - tail), head),
    ...keep(old.length - tail, now.length - tail, tail),
  ];
}

/** The longest common subsequence of what is left between a common head and a common tail. */
function middle(old: readonly string[], now: readonly string[], offset: number): Step[] {
  const rows = old.length + 1;
  const columns = now.length + 1;
  const isTooLarge = rows * columns > MOST_COMPARISONS;
  const lengths = isTooLarge ? undefined : new Uint32Array(rows * columns);
  const length = (i: number, j: number): number => lengths?.[i * columns + j] ?? 0;
  if (lengths !== undefined) {
    for (let i = old.length - 1; i >= 0; i--) {
      for (let j = now.length - 1; j >= 0; j--) {
        lengths[i * columns + j] =
          old[i] === now[j] ? length(i + 1, j + 1) + 1 : Math.max(length(i + 1, j), length(i, j + 1));
      }
    }
  }
  const steps: Step[] = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j] && !isTooLarge) {
      steps.push({ kind: "keep", before: offset + i++, after: offset + j++ });
    } else if (i < old.length && (j >= now.length || length(i + 1, j) >= length(i, j + 1))) {
      steps.push({ kind: "delete", before: offset + i++ });
    } else {
      steps.push({ kind: "insert", after: offset + j++ });
    }
  }
  return steps;
}

function nameOf(entry: Json | undefined): string | undefined {
  return isObject(entry) && typeof entry.name === "string" ? entry.name : undefined;
}

const identity = (entry: Json): string => {
  const name = nameOf(entry);
  return name === undefined ? `=${JSON.stringify(entry)}` : `#${name}`;
};
