import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair } from "yaml";
import type { Problem } from "./problem.ts";

/** What a document may hold once its aliases are written out. A manifest stays far below. */
const MOST_VALUES = 10_000_000;
const MOST_ALIASES = 10_000;

/**
 * Problems that the YAML parser does not report, or not in bounded time: a key that stands twice, an alias without its
 * anchor or inside of it, aliases that blow a small text up, numbers that JSON cannot hold.
 */
export function inspect(document: Document.Parsed): Problem[] {
  const problems: Problem[] = [];
  const sizes = new Map<string, number>();
  const open = new Set<string>();
  let aliases = 0;

  const report = (node: Node, message: string, first?: Node): number => {
    const related = first === undefined ? {} : { first: offsetOf(first) };
    problems.push({ offset: offsetOf(node), message, ...related });
    return 1;
  };

  const aliasSize = (node: Node, name: string): number => {
    aliases++;
    if (aliases === MOST_ALIASES + 1) report(node, `more than ${MOST_ALIASES} aliases`);
    if (aliases > MOST_ALIASES) return 1;
    if (open.has(name)) return report(node, `alias *${name} stands inside of its own anchor`);
    return sizes.get(name) ?? report(node, `alias *${name} has no anchor before it`);
  };

  const mapSize = (pairs: readonly Pair[]): number => {
    const seen = new Map<unknown, Node>();
    let total = 1;
    for (const { key, value } of pairs) {
      total += size(key) + size(value);
      if (!isScalar(key)) continue;
      const first = seen.get(key.value);
      if (first === undefined) seen.set(key.value, key);
      else report(key, `key "${key.value}" stands here a second time`, first);
    }
    return total;
  };

  /** How many values a node holds, aliases written out. */
  const size = (node: unknown): number => {
    if (isAlias(node)) return aliasSize(node, node.source);
    let total = 1;
    if (isScalar(node)) {
      if (typeof node.value === "number" && !Number.isFinite(node.value))
        report(node, "JSON has no such number");
    } else if (isMap(node) || isSeq(node)) {
      if (node.anchor !== undefined) open.add(node.anchor);
      total = isMap(node)
        ? mapSize(node.items)
        : node.items.reduce<number>((sum, item) => sum + size(item), 1);
      if (node.anchor !== undefined) open.delete(node.anchor);
    } else return 0;
    if (node.anchor !== undefined) sizes.set(node.anchor, total);
    return total;
  };

  if (size(document.contents) > MOST_VALUES) {
    problems.push({
      offset: 0,
      message: `more than ${MOST_VALUES} values, once its aliases are written out`,
    });
  }
  return problems;
}

const offsetOf = (node: Node): number => node.range?.[0] ?? 0;
