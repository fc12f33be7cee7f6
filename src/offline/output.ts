import { isObject, type Json } from "../json/value.ts";
import { printJson, printYaml } from "./edit/print.ts";
import type { InjectedDocument } from "./inject.ts";
import { isJson } from "./stream.ts";

/** What kubectl indents its JSON with. */
const JSON_INDENT = "    ";

/** The documents of one file. */
export type File = readonly InjectedDocument[];

/** All files as one stream that `kubectl apply -f -` takes, every document in the format in which it came. */
export function asTheyCame(files: readonly File[]): string {
  const isAllJson = files.flat().every(({ source }) => isJson(source.text));
  return isAllJson ? jsonStream(files) : yamlStream(files);
}

/** As a YAML stream; documents that are JSON are written anew. */
export function asYaml(files: readonly File[]): string {
  const converted = files.map((file) =>
    file.map((document) =>
      isJson(document.source.text)
        ? { ...document, text: `${printYaml(document.value, { indentSeq: true })}\n` }
        : document,
    ),
  );
  return yamlStream(converted);
}

/**
 * Whole numbers beyond 2^53 are not read exactly. They survive in a text that is edited in place, but not a conversion.
 */
export function holdsInexactNumber(value: Json | undefined): boolean {
  if (typeof value === "number") return Number.isInteger(value) && !Number.isSafeInteger(value);
  return typeof value === "object" && value !== null && Object.values(value).some(holdsInexactNumber);
}

/** One object as it is, several as the items of one List, as kubectl prints them. */
export function asJson(files: readonly File[]): string {
  const values = files.flat().flatMap(({ value }) => objectsOf(value));
  const whole: Json =
    values.length === 1 ? (values[0] ?? null) : { apiVersion: "v1", items: values, kind: "List" };
  return `${printJson(whole, JSON_INDENT)}\n`;
}

function objectsOf(value: Json): Json[] {
  if (value === null) return [];
  const isList = isObject(value) && value.kind === "List" && value.apiVersion === "v1";
  return isList && Array.isArray(value.items) ? value.items.flatMap(objectsOf) : [value];
}

const jsonStream = (files: readonly File[]): string =>
  files.map((file) => ended(file.map(({ text }) => text).join(""))).join("");

/** The documents of a YAML file follow each other as they are; JSON documents and files need a marker in between. */
function yamlStream(files: readonly File[]): string {
  const pieces = files.flatMap((file) => {
    const texts = file.map(({ text }) => text);
    return file.some(({ source }) => isJson(source.text)) ? texts : [texts.join("")];
  });
  let stream = "";
  for (const piece of pieces) {
    if (piece.trim() === "") continue;
    if (stream === "")
      stream = isJson(piece) ? `---\n${piece}` : piece; // kubectl takes `{` in front for pure JSON
    else stream = ended(stream) + separatorBefore(piece) + piece.replace(/^\uFEFF/, "");
  }
  return stream;
}

/** Directives must follow the end of a document; a text that starts with its own marker needs none. */
function separatorBefore(text: string): string {
  const [first = ""] = text.replace(/^(?:\uFEFF|[ \t]*(?:#.*)?\r?\n)+/, "").split(/\s/, 1);
  if (first === "---") return "";
  return first.startsWith("%") ? "...\n" : "---\n";
}

const ended = (text: string): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`);
