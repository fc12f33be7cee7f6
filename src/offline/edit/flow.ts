import { isMap, isSeq } from "yaml";
import type { Json, JsonObject } from "../../json/value.ts";
import { align } from "./align.ts";
import type { Editor } from "./editor.ts";
import { mapChange } from "./map-change.ts";
import { printJson, shifted } from "./print.ts";
import { contentEnd, itemSlots, pairSlots, type Slot } from "./slots.ts";
import { lineStart } from "./text.ts";

/** Changes a map in braces, one line or many: a JSON file, or flow style in YAML. New values are written as JSON. */
export function changeFlowMap(editor: Editor, slot: Slot, before: JsonObject, after: JsonObject): void {
  const { text } = editor;
  const pairs = isMap(slot.node) ? pairSlots(text, slot.node) : [];
  const change = mapChange(pairs, before, after);
  if (change === undefined) {
    editor.replace(slot, after);
    return;
  }
  const layout = layoutOf(editor, slot, pairs[0]?.start ?? 0);
  for (const pair of pairs) {
    if (Object.hasOwn(after, pair.key))
      editor.change(pair, before[pair.key] ?? null, after[pair.key] ?? null);
    for (const [key, value] of change.addedBehind(pair)) {
      const end = contentEnd(text, pair);
      const entry = `${printJson(key)}:${layout.isDense ? "" : " "}${layout.print(value)}`;
      editor.push({ start: end, end, text: `,${layout.gap}${entry}` });
    }
  }
  removeEntries(editor, pairs, change.stays);
}

/** Changes a list in brackets, one line or many. */
export function changeFlowSeq(
  editor: Editor,
  slot: Slot,
  before: readonly Json[],
  after: readonly Json[],
): void {
  const { text } = editor;
  const items = isSeq(slot.node) ? itemSlots(text, slot.node) : [];
  const steps = align(before, after);
  const keepsAny = steps.some(({ kind }) => kind === "keep");
  if (!keepsAny || items.length !== before.length) {
    editor.replace(slot, [...after]);
    return;
  }

  const layout = layoutOf(editor, slot, items[0]?.start ?? 0);
  const goesAway = new Set(steps.flatMap((step) => (step.kind === "delete" ? [items[step.before]] : [])));
  let behind: Slot | undefined;
  for (const step of steps) {
    const item = step.kind === "insert" ? undefined : items[step.before];
    if (step.kind === "keep" && item !== undefined) {
      editor.change(item, before[step.before] ?? null, after[step.after] ?? null);
      behind = item;
    } else if (step.kind === "insert") {
      const printed = layout.print(after[step.after] ?? null);
      const firstKept = items.find((candidate) => !goesAway.has(candidate))?.start ?? 0;
      const place = behind === undefined ? firstKept : contentEnd(text, behind);
      const entry = behind === undefined ? `${printed},${layout.gap}` : `,${layout.gap}${printed}`;
      editor.push({ start: place, end: place, text: entry });
    }
  }
  removeEntries(editor, items, (item) => !goesAway.has(item));
}

/** Removes entries, each with one comma: the one in front, or behind where nothing that stays is in front. */
function removeEntries<Entry extends Slot & { readonly start: number }>(
  { text, push }: Editor,
  entries: readonly Entry[],
  stays: (entry: Entry) => boolean,
): void {
  const firstKept = entries.findIndex(stays);
  const [first] = entries;
  if (firstKept > 0 && first !== undefined)
    push({ start: first.start, end: entries[firstKept]?.start ?? 0, text: "" });
  for (const [index, entry] of entries.entries()) {
    const previous = entries[index - 1];
    if (index <= firstKept || stays(entry) || previous === undefined) continue;
    push({ start: contentEnd(text, previous), end: contentEnd(text, entry), text: "" });
  }
}

interface Layout {
  /** Between a comma and the next entry. */
  readonly gap: string;
  /** Without any white space, as JSON is written for machines. */
  readonly isDense: boolean;
  print(value: Json): string;
}

/** One line an entry where the first entry starts a line, else everything in one line. */
function layoutOf({ text, lineBreak }: Editor, slot: Slot, firstEntry: number): Layout {
  const [start = 0, end] = slot.node?.range ?? [];
  const indent = text.slice(lineStart(text, firstEntry), firstEntry);
  if (!/^[ \t]+$/.test(indent)) {
    const isDense = !/[,:]\s/.test(text.slice(start, end));
    return { gap: isDense ? "" : " ", isDense, print: (value) => printJson(value) };
  }
  const outer = /^[ \t]*/.exec(text.slice(lineStart(text, start), start))?.[0] ?? "";
  const unit = indent.startsWith(outer) && indent !== outer ? indent.slice(outer.length) : "  ";
  return {
    gap: lineBreak + indent,
    isDense: false,
    print: (value) => shifted(printJson(value, unit), indent).join(lineBreak),
  };
}
