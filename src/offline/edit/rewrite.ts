import type { Json } from "../../json/value.ts";
import { isJson } from "../stream.ts";
import { jsonIndent, printJson, printYaml } from "./print.ts";
import { lineBreakOf } from "./text.ts";

/** The whole document anew. Of the text only its format, its markers and its line breaks are kept. */
export function rewritten(text: string, after: Json): string {
  const lineBreak = lineBreakOf(text);
  if (isJson(text)) return printJson(after, jsonIndent(text)).replaceAll("\n", lineBreak) + lineBreak;
  const lines = printYaml(after, { indentSeq: true }).split("\n");
  if (/^\uFEFF?---/m.test(text)) lines.unshift("---");
  if (/^\.\.\.[ \t]*\r?\n?$/m.test(text)) lines.push("...");
  return lines.join(lineBreak) + lineBreak;
}
