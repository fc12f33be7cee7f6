import { FILE_HEADERS_ONLY, formatPatch, structuredPatch } from "diff";
import { printable } from "../cli/printable.ts";
import type { InjectedDocument } from "./inject.ts";

const RED = "\u001b[31m";
const GREEN = "\u001b[32m";
const CYAN = "\u001b[36m";
const PLAIN = "\u001b[39m";

/**
 * A unified diff of one document, empty where nothing changed. Its line numbers are those of the file; `grown` is by
 * how many lines the documents before it in the same file have grown.
 */
export function diffOf({ source, text, outcomes }: InjectedDocument, grown: number): string {
  if (text === source.text) return "";
  const labels = outcomes.map(({ item }) => `${item.kind}/${item.name}`);
  const about = printable(
    `document ${source.number}: ${labels.length === 1 ? labels[0] : `${labels.length} objects`}`,
  );
  const patch = structuredPatch(source.file, source.file, source.text, text, about, about, { context: 3 });
  const first = source.line - 1;
  const hunks = patch.hunks.map((hunk) => ({
    ...hunk,
    oldStart: hunk.oldStart + first,
    newStart: hunk.newStart + first + grown,
  }));
  return formatPatch({ ...patch, hunks }, FILE_HEADERS_ONLY);
}

/** Colours a diff for a terminal. */
export function coloured(diff: string): string {
  return diff.replace(/^.+$/gm, (line) => {
    const colour = colourOf(line);
    return colour === undefined ? line : `${colour}${line}${PLAIN}`;
  });
}

function colourOf(line: string): string | undefined {
  if (line.startsWith("@@")) return CYAN;
  if (line.startsWith("---") || line.startsWith("+++")) return undefined;
  if (line.startsWith("-")) return RED;
  return line.startsWith("+") ? GREEN : undefined;
}
