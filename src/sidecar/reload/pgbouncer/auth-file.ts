import { Scanner } from "./scanner.ts";

export interface AuthFile {
  readonly users: readonly string[];
  /** The line from which on PgBouncer does not read it; undefined where it reads the whole. */
  readonly fault: number | undefined;
}

const SKIPPED = /(?:[ \t\n\v\f\r]+|;[^\n]*)*/y;
/** `"user" "password"`, and whatever follows on the line; a quote inside stands twice. */
const USER = /"((?:[^"]|"")*)"[^"]*"(?:[^"]|"")*"[^\n]*/y;

/** The users of an `auth_file`, as PgBouncer reads it (loader.c, load_auth_file). */
export function parseAuthFile(text: string): AuthFile {
  const users: string[] = [];
  const rest = new Scanner(text);
  for (;;) {
    rest.take(SKIPPED);
    if (rest.isEmpty) return { users, fault: undefined };
    const { line } = rest;
    const found = rest.take(USER);
    if (found === null) return { users, fault: line };
    users.push((found[1] ?? "").replaceAll('""', '"'));
  }
}
