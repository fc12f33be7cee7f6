import { connectionParameters, type Ini, type IniEntry, sectionOf } from "./ini.ts";

/** A row of the console: text by column; null where a column is empty. */
export type ConsoleRow = Readonly<Record<string, string | null>>;

export interface Comparison {
  /** What the console does not show as the file says it. */
  readonly differences: readonly { readonly line: number | undefined; readonly message: string }[];
  /** Settings that only a restart changes, and that differ. */
  readonly pendingRestart: readonly string[];
}

/** Told on the command line, or by PgBouncer about itself. */
const NOT_OF_THE_FILE = ["conffile", "verbose", "job_name", "service_name"];

/** PgBouncer's own database for its console. */
const CONSOLE = "pgbouncer";

const POSTGRES_PORT = "5432";

/** Compares pgbouncer.ini with `SHOW CONFIG` and `SHOW DATABASES`. */
export function compare(
  ini: Ini,
  config: readonly ConsoleRow[],
  databases: readonly ConsoleRow[],
): Comparison {
  const settings = compareSettings(ini, config);
  const faults = ini.faults.map((line) => ({ line, message: "this line cannot be read" }));
  return {
    differences: [...faults, ...settings.differences, ...compareDatabases(ini, config, databases)],
    pendingRestart: settings.pendingRestart,
  };
}

function compareSettings(ini: Ini, config: readonly ConsoleRow[]): Comparison {
  const wanted = sectionOf(ini, "pgbouncer");
  const shown = new Map(config.map((row) => [row.key ?? "", row]));
  const differences: { line: number | undefined; message: string }[] = [];
  const pendingRestart: string[] = [];
  for (const { key, value, line } of wanted.values()) {
    const row = shown.get(key);
    if (row === undefined) differences.push({ line, message: `PgBouncer has no setting ${key}` });
    else if (!isSame(key, value, row.value ?? "")) {
      if (row.changeable === "yes") differences.push({ line, message: differs(key, value, row.value) });
      else pendingRestart.push(key);
    }
  }
  // What an included file sets is not known, so what is absent may be set there.
  if (ini.includes.length > 0) return { differences, pendingRestart };
  for (const [key, row] of shown) {
    const { value, default: initial } = row;
    const isKept = wanted.has(key) || NOT_OF_THE_FILE.includes(key) || row.changeable !== "yes" || !initial;
    if (!isKept && !isSame(key, initial, value ?? ""))
      differences.push({ line: undefined, message: differs(key, `${initial} (its default)`, value) });
  }
  return { differences, pendingRestart };
}

function compareDatabases(ini: Ini, config: readonly ConsoleRow[], databases: readonly ConsoleRow[]) {
  const wanted = sectionOf(ini, "databases");
  const shown = new Map(databases.map((row) => [row.name ?? "", row]));
  const poolSize = config.find(({ key }) => key === "default_pool_size")?.value ?? undefined;
  const differences: { line: number | undefined; message: string }[] = [];
  for (const entry of wanted.values()) {
    if (entry.key === "*") continue; // a pattern: its databases come with their first client
    const row = shown.get(entry.key);
    if (row === undefined)
      differences.push({ line: entry.line, message: `PgBouncer has no database ${entry.key}` });
    else differences.push(...compareDatabase(entry, row, poolSize));
  }
  if (wanted.has("*") || ini.includes.length > 0) return differences;
  for (const [name, { disabled }] of shown) {
    if (name !== CONSOLE && !wanted.has(name) && disabled !== "1")
      differences.push({ line: undefined, message: `PgBouncer still has the database ${name}` });
  }
  return differences;
}

function compareDatabase({ key, value, line }: IniEntry, row: ConsoleRow, poolSize: string | undefined) {
  const given = connectionParameters(value);
  const expected: Readonly<Record<string, string | undefined>> = {
    host: given.host ?? "",
    port: given.port ?? POSTGRES_PORT,
    database: given.dbname ?? key,
    force_user: given.user ?? "",
    pool_size: given.pool_size ?? poolSize,
    min_pool_size: given.min_pool_size,
    pool_mode: given.pool_mode,
    max_connections: given.max_db_connections,
  };
  return Object.entries(expected).flatMap(([column, wanted]) => {
    const shown = row[column];
    if (wanted === undefined || shown === undefined || isSame(column, wanted, shown ?? "")) return [];
    return [{ line, message: differs(`${column} of the database ${key}`, wanted, shown) }];
  });
}

/** PgBouncer shows numbers and words in its own way: `60.0` as `60`, `Transaction` as `transaction`, a mode of octal digits in decimals. */
function isSame(key: string, written: string, shown: string): boolean {
  if (written === shown || written.toLowerCase() === shown.toLowerCase()) return true;
  if (key === "unix_socket_mode") return Number.parseInt(written, 8) === Number(shown);
  const isNumber = /^-?[0-9.]+$/.test(written) && /^-?[0-9.]+$/.test(shown);
  return isNumber && Number(written) === Number(shown);
}

const differs = (what: string, wanted: string, shown: string | null | undefined): string =>
  `${what} is ${JSON.stringify(shown ?? "")} in PgBouncer, and ${wanted} in the file`;
