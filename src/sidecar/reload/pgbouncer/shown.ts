import type { AuthFile } from "./auth-file.ts";
import type { Ini, IniEntry } from "./load.ts";

/** A row of the console: text by column; null where a column is empty. */
export type ConsoleRow = Readonly<Record<string, string | null>>;

/** What PgBouncer shows on its console. */
export interface Console {
  readonly config: readonly ConsoleRow[];
  readonly databases: readonly ConsoleRow[];
  readonly users: readonly ConsoleRow[];
}

/** PgBouncer's files. */
export interface Files {
  readonly ini: Ini;
  /** The file of `auth_file`, with its path as PgBouncer has it; undefined where it is not seen here. */
  readonly auth: (AuthFile & { readonly file: string }) | undefined;
}

export interface Difference {
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly message: string;
}

export interface Comparison {
  /** What the console does not show as the files say it. */
  readonly differences: readonly Difference[];
  /** Settings that only a restart changes, and that differ. */
  readonly pendingRestart: readonly string[];
  /** What the console does not show at all, and what stands in files that are not seen here. */
  readonly unverified: readonly string[];
}

export type Part = Pick<Comparison, "differences" | "unverified">;

/** What is absent from the files that are seen may stand in those that are not, or after a fault. */
export const isWhole = ({ unseen, fault }: Ini): boolean => unseen.length === 0 && fault === undefined;

/** The value of a setting; undefined where it has none. */
export const settingOf = (config: readonly ConsoleRow[], key: string): string | undefined =>
  config.find((row) => row.key === key)?.value ?? undefined;

/** PgBouncer shows numbers and words in its own way: `60.0` as `60`, `Transaction` as `transaction`, a mode of octal digits in decimals. */
export function isSame(key: string, written: string, shown: string): boolean {
  if (written === shown || written.toLowerCase() === shown.toLowerCase()) return true;
  if (key === "unix_socket_mode") return Number.parseInt(written, 8) === Number(shown);
  const isNumber = /^-?[0-9.]+$/.test(written) && /^-?[0-9.]+$/.test(shown.trim());
  return isNumber && Number(written) === Number(shown);
}

export const at = ({ file, line }: IniEntry, message: string): Difference => ({ file, line, message });
export const nowhere = (message: string): Difference => ({ file: undefined, line: undefined, message });

export const differs = (what: string, wanted: string, shown: string | null | undefined): string =>
  `${what} is ${JSON.stringify(shown ?? "")} in PgBouncer, and ${wanted} in the file`;
