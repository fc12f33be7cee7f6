import { type Document, isAlias, isMap, isSeq, visit } from "yaml";
import { sameJson } from "../../json/same.ts";
import { isObject, type Json } from "../../json/value.ts";
import { parseDocument } from "../parse.ts";
import { changeBlockMap, changeBlockSeq } from "./block.ts";
import type { Editor } from "./editor.ts";
import { changeFlowMap, changeFlowSeq } from "./flow.ts";
import type { Style } from "./print.ts";
import { replace } from "./replace.ts";
import { rewritten } from "./rewrite.ts";
import { isBlockCollection, itemSlots, pairSlots, type Slot } from "./slots.ts";
import { applyEdits, columnOf, type Edit, lineBreakOf } from "./text.ts";

/** A change behind an anchor shows at its aliases in the next round only, and those may stand behind anchors again. */
const MOST_ROUNDS = 12;

/**
 * Changes the text of a document so that it reads as `after`, and nothing else about it: comments, blank lines, the
 * order of keys, quoting, anchors and line breaks stay. The text is edited in place, read again and compared, until it
 * reads as wanted; an alias is written out where its value must differ from its anchor's. A text that cannot be edited
 * in place is written anew as a whole, without its comments: the result always reads as `after`.
 */
export function sync(text: string, after: Json): string {
  let current = text;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const parsed = parseDocument(current);
    if (parsed.kind === "unreadable") break;
    if (sameJson(parsed.value, after)) return current;
    const edits = editsFor(current, parsed.document, parsed.value, after);
    if (edits.length === 0) break;
    current = applyEdits(current, edits);
  }
  return rewritten(text, after);
}

/** Aliases are left alone as long as anything else is to be edited: they may come right by that. */
function editsFor(text: string, document: Document.Parsed, before: Json, after: Json): readonly Edit[] {
  const root: Slot = {
    kind: "root",
    node: document.contents,
    from: document.contents?.range?.[0] ?? 0,
    column: 0,
  };
  const style = styleOf(text, document);
  for (const expandsAliases of [false, true]) {
    const edits: Edit[] = [];
    editorFor(text, style, expandsAliases, edits).change(root, before, after);
    if (edits.length > 0) return edits;
  }
  return [];
}

function editorFor(text: string, style: Style, expandsAliases: boolean, edits: Edit[]): Editor {
  const editor: Editor = {
    text,
    style,
    lineBreak: lineBreakOf(text),
    push: (edit) => edits.push(edit),
    change(slot, before, after) {
      if (sameJson(before, after)) return;
      const { node } = slot;
      if (isAlias(node)) {
        if (expandsAliases) editor.replace(slot, after);
      } else if (isMap(node) && isObject(before) && isObject(after)) {
        if (isBlockCollection(node)) changeBlockMap(editor, slot, before, after);
        else changeFlowMap(editor, slot, before, after);
      } else if (isSeq(node) && Array.isArray(before) && Array.isArray(after)) {
        if (isBlockCollection(node)) changeBlockSeq(editor, slot, before, after);
        else changeFlowSeq(editor, slot, before, after);
      } else editor.replace(slot, after);
    },
    replace: (slot, after) => replace(editor, slot, after),
  };
  return editor;
}

/** The first list below a key shows how this text indents lists. */
function styleOf(text: string, document: Document.Parsed): Style {
  let indentSeq = true;
  visit(document, {
    Map(_, map) {
      for (const slot of pairSlots(text, map)) {
        if (slot.kind !== "key" || !isSeq(slot.node) || !isBlockCollection(slot.node)) continue;
        const [first] = itemSlots(text, slot.node);
        if (first === undefined) continue;
        indentSeq = columnOf(text, first.start) > slot.column;
        return visit.BREAK;
      }
      return undefined;
    },
  });
  return { indentSeq };
}
