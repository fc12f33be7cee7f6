import { Scanner } from "./scanner.ts";

/** What stands on a place of pgbouncer.ini, and the line it begins at. */
export type IniPart = { readonly line: number } & (
  | { readonly kind: "section"; readonly name: string }
  | { readonly kind: "entry"; readonly key: string; readonly value: string }
  /** `%include`. */
  | { readonly kind: "include"; readonly path: string }
  /** PgBouncer reads nothing that comes after it. */
  | { readonly kind: "fault" }
);

const SKIPPED = /(?:[ \t\n\v\f\r]+|[;#][^\n]*)*/y;
const INCLUDE = /%include[ \t]+([^\n]*)/y;
const SECTION = /\[([^\]\n]*)\]/y;
const ENTRY = /(?:'([^']+)'|([\w.*-]*))[ \t]*=[ \t]*([^\n]*)/y;

/** Reads the text of one file as PgBouncer does (libusual's cfparser.c): to its end, or to the first fault. */
export function parseIni(text: string): readonly IniPart[] {
  const parts: IniPart[] = [];
  const rest = new Scanner(text);
  for (;;) {
    rest.take(SKIPPED);
    if (rest.isEmpty) return parts;
    const { line } = rest;
    const [, path] = rest.take(INCLUDE) ?? [];
    const [, name] = path === undefined ? (rest.take(SECTION) ?? []) : [];
    if (path !== undefined) parts.push({ kind: "include", path: path.trimEnd(), line });
    else if (name !== undefined) parts.push({ kind: "section", name, line });
    else {
      const [whole, quoted, plain = "", value = ""] = rest.take(ENTRY) ?? [];
      if (whole === undefined) return [...parts, { kind: "fault", line }];
      parts.push({ kind: "entry", key: quoted ?? plain, value: value.trimEnd(), line });
    }
  }
}

const PARAMETER = /([A-Za-z_]+)\s*=\s*(?:'((?:[^']|'')*)'|(\S*))/g;

/** The parameters of a database's or a user's entry: `host=… dbname='with space'`. */
export function connectionParameters(value: string): Readonly<Record<string, string>> {
  const pairs = [...value.matchAll(PARAMETER)].map(([, key = "", quoted, plain]): [string, string] => [
    key,
    quoted === undefined ? (plain ?? "") : quoted.replaceAll("''", "'"),
  ]);
  return Object.fromEntries(pairs);
}
