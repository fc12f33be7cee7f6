import { type Document, isAlias, isMap, isScalar, isSeq } from "yaml";

/** Where a key (an item, in a list) stands in a document's text; of a longer path the last part that is there. */
export function offsetOf(document: Document.Parsed, path: readonly (string | number)[]): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0] ?? 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === step);
      if (pair === undefined || !isScalar(pair.key)) return offset;
      offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = (isMap(node) || isScalar(node) ? node.range?.[0] : undefined) ?? offset;
    } else return offset;
  }
  return offset;
}
