import { asObject, isObject, type Json, type JsonObject } from "../json/value.ts";
import { firstLine, parseConfiguration } from "./configuration-document.ts";
import { plainJson } from "./configuration-json.ts";

/** What decides whom PostgreSQL lets in for replication, and as whom members connect. */
const PATHS = [
  ["postgresql", "pg_hba"],
  ["postgresql", "parameters", "hba_file"],
  ["postgresql", "authentication", "replication", "username"],
  ["bootstrap", "pg_hba"],
  ["bootstrap", "method"],
  ["bootstrap", "post_init"],
  ["bootstrap", "post_bootstrap"],
  ["bootstrap", "dcs", "postgresql", "pg_hba"],
  ["bootstrap", "dcs", "postgresql", "parameters", "hba_file"],
] as const;

export type Excerpt =
  /** A configuration that says that and nothing else: as text, it has itself as its excerpt. */
  | { readonly kind: "read"; readonly configuration: JsonObject }
  | { readonly kind: "unreadable"; readonly why: string };

/** The part of a Patroni configuration, YAML or JSON, that says who may replicate. No password is in it. */
export function replicationExcerpt(text: string): Excerpt {
  const json = plainJson(text);
  if (json !== undefined) return { kind: "read", configuration: excerptOf(json) };
  const parsed = parseConfiguration(text);
  if (parsed.kind === "unreadable") return parsed;
  try {
    const configuration = excerptOf(asObject(parsed.document.toJS()) ?? {});
    return { kind: "read", configuration };
  } catch (error) {
    // Aliases without end, or a merge of what is no mapping.
    return { kind: "unreadable", why: firstLine((error as Error).message) };
  }
}

/** Of what has no section of a Patroni configuration nothing is worth reading. */
export const looksLikePatroni = (text: string): boolean =>
  /(^|[{,\s])["']?(scope|postgresql|bootstrap|restapi)["']?\s*:/.test(text);

function excerptOf(whole: JsonObject): JsonObject {
  const excerpt: JsonObject = {};
  for (const path of PATHS) copy(whole, excerpt, path);
  return excerpt;
}

/** A null on the way is copied too: in a later file it takes the section of an earlier one away. */
function copy(from: JsonObject, to: JsonObject, [step = "", ...rest]: readonly string[]): void {
  if (!Object.hasOwn(from, step)) return;
  const value = plain(from[step]);
  if (rest.length === 0 || value === null) {
    to[step] = value;
  } else if (isObject(value)) {
    const section = asObject(to[step]) ?? {};
    to[step] = section;
    copy(value, section, rest);
  }
}

/** YAML's null, and an empty value, are one. */
const plain = (value: Json | undefined): Json =>
  value === undefined || value === "" || value === "~" || value === "null" ? null : value;
