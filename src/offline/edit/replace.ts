import { isScalar } from "yaml";
import type { Json } from "../../json/value.ts";
import type { Editor } from "./editor.ts";
import { jsonIndent, printJson, printYaml, shifted } from "./print.ts";
import { contentEnd, isBlockScalar, type Slot } from "./slots.ts";
import { lineStart, nextLine } from "./text.ts";

/** Writes what is in a slot anew. An anchor in front of it stays, a comment behind it too. */
export function replace(editor: Editor, slot: Slot, after: Json): void {
  if (slot.kind === "flow") replaceInFlow(editor, slot, after);
  else if (slot.kind !== "root") replaceInBlock(editor, slot, after);
}

function replaceInBlock({ text, style, lineBreak, push }: Editor, slot: Slot, after: Json): void {
  const like = isScalar(slot.node) ? slot.node : undefined;
  const printed =
    slot.kind === "key" ? printYaml({ k: after }, style, like) : printYaml([after], style, like);
  const value = printed.slice(slot.kind === "key" ? "k:".length : "-".length);
  const indent = " ".repeat(slot.column) + (/^ [|>]/.test(value) ? extraIndent(text, slot) : "");
  const [first = "", ...rest] = shifted(value, indent);

  const end = contentEnd(text, slot);
  push({ start: slot.from, end, text: first });
  if (rest.length === 0) return;
  const at = nextLine(text, end);
  const lines = rest.join(lineBreak);
  push({ start: at, end: at, text: text[at - 1] === "\n" ? lines + lineBreak : lineBreak + lines });
}

/** By how much the lines of a block scalar stand deeper than they would when printed. */
function extraIndent(text: string, { node, column }: Slot): string {
  if (!isBlockScalar(node)) return "";
  const [, indent = ""] = /\n( +)\S/.exec(text.slice(...(node.range ?? []))) ?? [];
  return indent.slice(column + 2);
}

function replaceInFlow({ text, lineBreak, push }: Editor, slot: Slot, after: Json): void {
  const end = contentEnd(text, slot);
  const start = end === slot.from ? end : (slot.node?.range?.[0] ?? end);
  const indent = /^[ \t]*/.exec(text.slice(lineStart(text, start)))?.[0] ?? "";
  const printed =
    indent === "" ? printJson(after) : shifted(printJson(after, jsonIndent(text)), indent).join(lineBreak);
  const glue = start < end ? "" : text[end - 1] === ":" ? " " : ": ";
  push({ start, end, text: glue + printed });
}
