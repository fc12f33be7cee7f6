import { isMap, isSeq } from "yaml";
import type { Json, JsonObject } from "../../json/value.ts";
import { align } from "./align.ts";
import type { Editor } from "./editor.ts";
import { mapChange } from "./map-change.ts";
import { printYaml, shifted } from "./print.ts";
import { contentEnd, itemSlots, lineBehind, pairSlots, type Slot } from "./slots.ts";
import { columnOf, isFirstInLine, lineStart, nextLine } from "./text.ts";

/** Changes a map in block style: keys that stay keep their lines, new ones stand behind the key that precedes them. */
export function changeBlockMap(editor: Editor, slot: Slot, before: JsonObject, after: JsonObject): void {
  const { text } = editor;
  const pairs = isMap(slot.node) ? pairSlots(text, slot.node) : [];
  const change = mapChange(pairs, before, after);
  if (change === undefined) {
    editor.replace(slot, after);
    return;
  }
  for (const [index, pair] of pairs.entries()) {
    if (!change.stays(pair)) {
      const next = pairs.slice(index + 1).find(change.stays);
      removeLines(editor, pair, pair.column, next?.start);
      continue;
    }
    if (Object.hasOwn(after, pair.key))
      editor.change(pair, before[pair.key] ?? null, after[pair.key] ?? null);
    for (const [key, value] of change.addedBehind(pair)) {
      insertLines(editor, lineBehind(text, pair, pair.column), pair.column, { [key]: value });
    }
  }
}

/** Changes a list in block style: entries that stay keep their lines and the comments above them. */
export function changeBlockSeq(
  editor: Editor,
  slot: Slot,
  before: readonly Json[],
  after: readonly Json[],
): void {
  const { text } = editor;
  const items = isSeq(slot.node) ? itemSlots(text, slot.node) : [];
  const [first] = items;
  const steps = align(before, after);
  const isCompact = first === undefined || !isFirstInLine(text, first.start);
  const touchesFirst = steps[0]?.kind !== "keep";
  if (after.length === 0 || items.length !== before.length || (isCompact && touchesFirst)) {
    editor.replace(slot, [...after]);
    return;
  }
  let here = aboveComments(text, first?.start ?? 0);
  for (const step of steps) {
    const item = step.kind === "insert" ? undefined : items[step.before];
    if (item === undefined) {
      if (step.kind === "insert") insertLines(editor, here, first?.column ?? 0, [after[step.after] ?? null]);
      continue;
    }
    if (step.kind === "keep") editor.change(item, before[step.before] ?? null, after[step.after] ?? null);
    else removeLines(editor, item, item.column, undefined);
    here = lineBehind(text, item, item.column);
  }
}

function insertLines(
  { text, lineBreak, style, push }: Editor,
  at: number,
  column: number,
  value: Json,
): void {
  const indent = " ".repeat(column);
  const lines = shifted(printYaml(value, style), indent).join(lineBreak);
  const endsInLine = at === text.length && !text.endsWith("\n");
  push({ start: at, end: at, text: endsInLine ? lineBreak + indent + lines : indent + lines + lineBreak });
}

/** Removes an entry with its lines. One that shares its line with a dash in front goes up to the entry that follows. */
function removeLines(
  { text, push }: Editor,
  entry: Slot & { readonly start: number },
  column: number,
  next: number | undefined,
): void {
  if (isFirstInLine(text, entry.start)) {
    push({ start: lineStart(text, entry.start), end: lineBehind(text, entry, column), text: "" });
  } else {
    push({ start: entry.start, end: next ?? contentEnd(text, entry), text: "" });
  }
}

/** The first of the comment lines that stand directly above, in the same column. */
function aboveComments(text: string, offset: number): number {
  const column = columnOf(text, offset);
  let line = lineStart(text, offset);
  while (line > 0) {
    const above = lineStart(text, line - 1);
    const comment = /^( *)#/.exec(text.slice(above, nextLine(text, above)));
    if (comment?.[1]?.length !== column) return line;
    line = above;
  }
  return line;
}
