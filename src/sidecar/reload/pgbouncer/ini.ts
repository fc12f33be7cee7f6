/** A `key = value` of pgbouncer.ini, and where it stands. */
export interface IniEntry {
  readonly section: string;
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

export interface Ini {
  readonly entries: readonly IniEntry[];
  /** Lines that are neither a comment, a section, an entry nor a directive. */
  readonly faults: readonly number[];
  /** Files that it includes (`%include`); what they hold is not known here. */
  readonly includes: readonly string[];
}

const SECTION = /^\[([^\]]+)\]\s*$/;
const ENTRY = /^("(?:[^"]|"")*"|[^\s=]+)\s*=\s*(.*?)\s*$/;
const INCLUDE = /^%include\s+(\S.*?)\s*$/;

/**
 * Reads pgbouncer.ini as PgBouncer does: a comment is a line that begins with `;` or `#`, a value reaches to the end of its line, of two
 * entries with one key the later counts.
 */
export function parseIni(text: string): Ini {
  const entries: IniEntry[] = [];
  const faults: number[] = [];
  const includes: string[] = [];
  let section = "";
  text.split(/\r?\n/).forEach((raw, index) => {
    const line = raw.trim();
    if (line === "" || line.startsWith(";") || line.startsWith("#")) return;
    const include = INCLUDE.exec(line);
    const heading = SECTION.exec(line);
    const entry = ENTRY.exec(line);
    if (include?.[1] !== undefined) includes.push(include[1]);
    else if (heading?.[1] !== undefined) section = heading[1].trim();
    else if (entry?.[1] !== undefined)
      entries.push({ section, key: unquoted(entry[1]), value: entry[2] ?? "", line: index + 1 });
    else faults.push(index + 1);
  });
  return { entries, faults, includes };
}

/** The entries of a section by key: the last of each. */
export function sectionOf({ entries }: Ini, section: string): ReadonlyMap<string, IniEntry> {
  return new Map(entries.filter((entry) => entry.section === section).map((entry) => [entry.key, entry]));
}

const PARAMETER = /([A-Za-z_]+)\s*=\s*(?:'((?:[^']|'')*)'|(\S*))/g;

/** The parameters of a database's connection string: `host=… dbname='with space'`. */
export function connectionParameters(value: string): Readonly<Record<string, string>> {
  const pairs = [...value.matchAll(PARAMETER)].map(([, key = "", quoted, plain]): [string, string] => [
    key,
    quoted === undefined ? (plain ?? "") : quoted.replaceAll("''", "'"),
  ]);
  return Object.fromEntries(pairs);
}

const unquoted = (key: string): string =>
  key.startsWith('"') ? key.slice(1, -1).replaceAll('""', '"') : key;
