import { connectionParameters } from "./ini.ts";
import { type Ini, type IniEntry, sectionOf } from "./load.ts";
import {
  at,
  type Console,
  type ConsoleRow,
  type Difference,
  differs,
  type Files,
  isSame,
  isWhole,
  nowhere,
  type Part,
  settingOf,
} from "./shown.ts";

/** PgBouncer's own database for its console. */
const CONSOLE = "pgbouncer";

const POSTGRES_PORT = "5432";

/**
 * Their columns do not always show what was given: `load_balance_hosts` nothing for one host, and the others of PgBouncer's own settings
 * where 0 was given (admin.c, admin_show_databases and admin_show_users).
 */
const isShownOtherwise = (name: string, value: string): boolean =>
  name === "load_balance_hosts" ||
  (Number(value) === 0 && (name === "server_lifetime" || name.startsWith("max_")));

/** Columns of `SHOW DATABASES` that are named otherwise than the parameter; some are there since a later version. */
const DATABASE_COLUMNS: Readonly<Record<string, string>> = {
  dbname: "database",
  user: "force_user",
  max_db_connections: "max_connections",
  max_db_client_connections: "max_client_connections",
};

/** The databases of the file, and those that are shown and have left it. */
export function compareDatabases(ini: Ini, { config, databases }: Console): Part {
  const wanted = sectionOf(ini, "databases");
  const shown = new Map(databases.map((row) => [row.name ?? "", row]));
  const differences: Difference[] = [];
  const unverified: string[] = [];
  for (const entry of wanted.values()) {
    const row = shown.get(entry.key);
    // A pattern: its databases come with their first client.
    if (entry.key === "*") unverified.push("database *");
    else if (row === undefined) differences.push(at(entry, `PgBouncer has no database ${entry.key}`));
    else {
      const given = connectionParameters(entry.value);
      const whole = {
        host: "",
        port: POSTGRES_PORT,
        dbname: entry.key,
        user: "",
        pool_size: settingOf(config, "default_pool_size"),
        ...given,
      };
      const found = compareColumns(entry, `database ${entry.key}`, whole, DATABASE_COLUMNS, row);
      differences.push(...found.differences);
      unverified.push(...found.unverified);
    }
  }
  if (wanted.has("*") || !isWhole(ini)) return { differences, unverified };
  for (const [name, { disabled }] of shown) {
    if (name !== CONSOLE && !wanted.has(name) && disabled !== "1")
      differences.push(nowhere(`PgBouncer still has the database ${name}`));
  }
  return { differences, unverified };
}

/** The users of both files. Who has left them is shown until PgBouncer ends. */
export function compareUsers({ ini, auth }: Files, { users }: Console): Part {
  const shown = new Map(users.map((row) => [row.name ?? "", row]));
  const parts = [...sectionOf(ini, "users").values()].map((entry): Part => {
    const row = shown.get(entry.key);
    const given = connectionParameters(entry.value);
    return row === undefined
      ? { differences: [at(entry, `PgBouncer has no user ${entry.key}`)], unverified: [] }
      : compareColumns(entry, `user ${entry.key}`, given, {}, row);
  });
  const file = auth?.file;
  const missing = (auth?.users ?? [])
    .filter((user) => !shown.has(user))
    .map((user) => ({ file, line: undefined, message: `PgBouncer has no user ${user}` }));
  const fault =
    auth?.fault === undefined ? [] : [{ file, line: auth.fault, message: "PgBouncer reads no further" }];
  return {
    differences: [...parts.flatMap(({ differences }) => differences), ...fault, ...missing],
    unverified: parts.flatMap(({ unverified }) => unverified),
  };
}

/** Parameters with the columns that show them; what no column shows is not verified. */
function compareColumns(
  entry: IniEntry,
  what: string,
  given: Readonly<Record<string, string | undefined>>,
  columns: Readonly<Record<string, string>>,
  row: ConsoleRow,
): Part {
  const differences: Difference[] = [];
  const unverified: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    const column = columns[name] ?? name;
    if (value === undefined) continue;
    const shown = isShownOtherwise(name, value) ? undefined : row[column];
    if (shown === undefined) unverified.push(`${what}: ${name}`);
    else if (!isSame(column, value, shown ?? ""))
      differences.push(at(entry, differs(`${column} of the ${what}`, value, shown)));
  }
  return { differences, unverified };
}
