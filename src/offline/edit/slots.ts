import { isCollection, isMap, isScalar, isSeq, type Node, Scalar, type YAMLMap, type YAMLSeq } from "yaml";
import { columnOf, nextLine } from "./text.ts";

export const MERGE_KEY = "<<";

/**
 * A place that holds a value: behind a block map's `key`, behind a block list's `dash`, in a `flow` collection, or the
 * document as a whole. `from` is behind the indicator and an anchor or tag of the value; `column` is the column of the
 * key or dash.
 */
export interface Slot {
  readonly kind: "root" | "key" | "dash" | "flow";
  readonly node: Node | null;
  readonly from: number;
  readonly column: number;
}

/** The value of a map's entry; `start` is where its key starts. */
export interface PairSlot extends Slot {
  readonly start: number;
  readonly key: string;
  /** The key is a plain `<<`: its value's entries belong to the map. */
  readonly isMerge: boolean;
}

/** An item of a list; `start` is where its dash stands, or the item itself in a flow list. */
export interface ItemSlot extends Slot {
  readonly start: number;
}

/** Behind the last character of what is in the slot, its last line break left out; behind its indicator where it is empty. */
export function contentEnd(text: string, slot: Slot): number {
  const { node } = slot;
  if (node === null || node.range == null) return slot.from;
  if (isScalar(node) && node.range[0] === node.range[1]) return slot.from;
  if (isBlockScalar(node)) {
    const [start, end] = node.range;
    return end - (/\r?\n$/.exec(text.slice(start, end))?.[0].length ?? 0);
  }
  const last = isBlockCollection(node) ? lastSlot(text, node) : undefined;
  return last === undefined ? node.range[1] : contentEnd(text, last);
}

/**
 * Where a new line may be inserted behind what is in the slot: the start of a line. Comments that stand deeper than
 * `column` still belong to it.
 */
export function lineBehind(text: string, slot: Slot, column: number): number {
  let line = endOfLines(text, slot);
  for (;;) {
    const next = nextLine(text, line);
    const comment = /^( *)#/.exec(text.slice(line, next));
    if (comment === null || (comment[1] ?? "").length <= column) return line;
    line = next;
  }
}

function endOfLines(text: string, slot: Slot): number {
  const { node } = slot;
  if (isBlockScalar(node) && node.range) {
    return text[node.range[1] - 1] === "\n" ? node.range[1] : nextLine(text, node.range[1]);
  }
  const last = isBlockCollection(node) ? lastSlot(text, node) : undefined;
  return last === undefined ? nextLine(text, contentEnd(text, slot)) : endOfLines(text, last);
}

function lastSlot(text: string, node: Node): Slot | undefined {
  return (isMap(node) ? pairSlots(text, node) : itemSlots(text, node)).at(-1);
}

/** The values of a map, each with its key. Keys that are no scalars are left out. */
export function pairSlots(text: string, map: Node): PairSlot[] {
  if (!isMap(map)) return [];
  const kind = isBlockCollection(map) ? "key" : "flow";
  return map.items.flatMap(({ key, value, srcToken }) => {
    if (!isScalar(key) || !key.range) return [];
    const from = behindIndicator(srcToken?.sep, "map-value-ind") ?? key.range[1];
    const start = key.range[0];
    const node = value as Node | null;
    const isMerge = key.value === MERGE_KEY && key.type === Scalar.PLAIN;
    return [{ kind, key: String(key.value), isMerge, start, node, from, column: columnOf(text, start) }];
  });
}

/** The items of a list. */
export function itemSlots(text: string, list: Node): ItemSlot[] {
  if (!isSeq(list)) return [];
  const token = list.srcToken;
  if (token?.type === "block-seq") {
    const dashed = token.items.filter(({ start }) => start.some(({ type }) => type === "seq-item-ind"));
    return list.items.map((node, index) => {
      const tokens = dashed[index]?.start ?? [];
      const start = tokens.find(({ type }) => type === "seq-item-ind")?.offset ?? 0;
      const from = behindIndicator(tokens, "seq-item-ind") ?? start + 1;
      return { kind: "dash", node: node as Node | null, start, from, column: columnOf(text, start) };
    });
  }
  return list.items.map((node) => {
    const start = (node as Node).range?.[0] ?? 0;
    return { kind: "flow", node: node as Node, start, from: start, column: columnOf(text, start) };
  });
}

interface SourceToken {
  readonly type: string;
  readonly offset: number;
  readonly source: string;
}

function behindIndicator(tokens: readonly SourceToken[] | undefined, indicator: string): number | undefined {
  const start = tokens?.findIndex(({ type }) => type === indicator) ?? -1;
  if (tokens === undefined || start === -1) return undefined;
  const last = tokens.findLast(
    ({ type }, index) => index >= start && (type === indicator || type === "anchor" || type === "tag"),
  );
  return last === undefined ? undefined : last.offset + last.source.length;
}

export function isBlockScalar(node: unknown): node is Scalar {
  return isScalar(node) && (node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED);
}

export function isBlockCollection(node: Node | null): node is YAMLMap | YAMLSeq {
  return isCollection(node) && (node.srcToken?.type === "block-map" || node.srcToken?.type === "block-seq");
}
