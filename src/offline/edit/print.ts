import { Document, Scalar, visit } from "yaml";
import type { Json } from "../../json/value.ts";
import { MERGE_KEY } from "./slots.ts";

/** How new YAML is laid out: lists below a key either stand deeper than the key (`indentSeq`) or in its column. */
export interface Style {
  readonly indentSeq: boolean;
}

/** What YAML can hold outside of double quotes. */
const PRINTABLE =
  /^[\t\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]*$/u;
/** What a block scalar would need an indentation or chomping indicator for, or show as invisible white space. */
const AWKWARD_IN_BLOCK = /^\s|^$|\n\n$|[ \t](\n|$)/;

/**
 * A value as YAML in block style, without a line break at its end. Strings that YAML 1.1 or 1.2 would take for something
 * else are quoted. `like` is a scalar whose style the strings take over where they can.
 */
export function printYaml(value: Json, style: Style, like?: Scalar): string {
  const document = new Document(value, {
    version: "1.1",
    compat: "core",
    customTags: (tags) =>
      tags.filter((tag) => typeof tag === "string" || tag.tag !== "tag:yaml.org,2002:merge"),
    aliasDuplicateObjects: false,
    toStringDefaults: { lineWidth: 0, doubleQuotedAsJSON: true, indentSeq: style.indentSeq },
  });
  visit(document, {
    Scalar(position, scalar) {
      if (typeof scalar.value !== "string") return;
      const type = position === "key" ? undefined : scalarType(scalar.value, like?.type);
      if (scalar.value === MERGE_KEY || !PRINTABLE.test(scalar.value)) scalar.type = Scalar.QUOTE_DOUBLE;
      else if (type !== undefined) scalar.type = type;
      if (isBlock(scalar.type) && isBlock(like?.type)) scalar.comment = like?.comment ?? null;
    },
  });
  return document.toString().replace(/\n$/, "");
}

function scalarType(value: string, like: Scalar.Type | undefined): Scalar.Type | undefined {
  const hasLines = value.includes("\n");
  const wantsBlock = isBlock(like);
  if ((hasLines || wantsBlock) && AWKWARD_IN_BLOCK.test(value)) return Scalar.QUOTE_DOUBLE;
  return hasLines && !wantsBlock && like !== Scalar.QUOTE_DOUBLE ? undefined : like;
}

const isBlock = (type: Scalar.Type | undefined): boolean =>
  type === Scalar.BLOCK_LITERAL || type === Scalar.BLOCK_FOLDED;

/** JSON in one line, or laid out with `indent`; both are YAML in flow style too. */
export function printJson(value: Json, indent = ""): string {
  return JSON.stringify(value, null, indent).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The lines of a text, all but the first behind `prefix`; empty lines stay empty. */
export function shifted(text: string, prefix: string): string[] {
  return text.split("\n").map((line, index) => (index === 0 || line === "" ? line : prefix + line));
}

/** One level of indentation as a JSON text has it: that of its first indented line. None where it is in one line. */
export function jsonIndent(text: string): string {
  return /\n([ \t]+)\S/.exec(text)?.[1] ?? "";
}
