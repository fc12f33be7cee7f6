import type { Json } from "../json/value.ts";
import type { Input } from "./input.ts";
import { parseDocument } from "./parse.ts";
import type { Problem } from "./problem.ts";
import { splitStream } from "./stream.ts";
import { type Item, itemsIn } from "./workloads.ts";

/** A document and where it is. */
export interface SourceDocument {
  readonly file: string;
  /** From 1, empty documents counted. */
  readonly number: number;
  /** The line of the file in which the text starts, from 1. */
  readonly line: number;
  readonly text: string;
  readonly value: Json;
  readonly items: readonly Item[];
}

export interface ReadDocuments {
  readonly documents: readonly SourceDocument[];
  /** One line each, with file, line and column. */
  readonly problems: readonly string[];
}

/** So many problems of one document are told; what follows is mostly caused by the first ones. */
const MOST_PROBLEMS = 20;

/** Reads all documents of a file. The texts of the documents put together are the file. */
export function readDocuments({ name: file, text: whole }: Input): ReadDocuments {
  const documents: SourceDocument[] = [];
  const problems: string[] = [];
  let line = 1;
  for (const [index, text] of splitStream(whole).entries()) {
    const place = { file, number: index + 1, line, text };
    const parsed = parseDocument(text);
    if (parsed.kind === "read")
      documents.push({ ...place, value: parsed.value, items: itemsIn(parsed.value) });
    else problems.push(...described(place, parsed.problems));
    line += countLines(text, text.length);
  }
  return { documents, problems };
}

type Place = Pick<SourceDocument, "file" | "number" | "line" | "text">;

/** `pg.yaml:12:5: document 3: …` */
export function problemAt(place: Place, offset: number, message: string): string {
  const line = place.line + countLines(place.text, offset);
  const column = offset - place.text.lastIndexOf("\n", offset - 1);
  return `${place.file}:${line}:${column}: document ${place.number}: ${message}`;
}

function described(place: Place, problems: readonly Problem[]): string[] {
  const told = problems.slice(0, MOST_PROBLEMS).map(({ offset, message, first }) => {
    const related =
      first === undefined ? "" : `, first in line ${place.line + countLines(place.text, first)}`;
    return problemAt(place, offset, message + related);
  });
  const rest = problems.length - told.length;
  return rest > 0 ? [...told, `${place.file}: document ${place.number}: and ${rest} more problems`] : told;
}

function countLines(text: string, end: number): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at !== -1 && at < end; at = text.indexOf("\n", at + 1)) count++;
  return count;
}
