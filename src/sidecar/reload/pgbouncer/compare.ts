import { compareDatabases, compareUsers } from "./compare-entries.ts";
import { type Ini, sectionOf } from "./load.ts";
import {
  at,
  type Comparison,
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

/** Told on the command line, or by PgBouncer about itself. */
const NOT_OF_THE_FILE = ["conffile", "verbose", "job_name", "service_name"];

/** Settings that name a file which PgBouncer reads again with a RELOAD, and of which the console shows the name only. */
const FILES = /^(?:auth_hba_file|auth_ident_file|(?:client|server)_tls_(?:ca|cert|key)_file)$/;

/** Methods with which PgBouncer does not read `auth_file`. */
const WITHOUT_FILE = ["any", "pam"];

/** Compares pgbouncer.ini, what it includes and `auth_file` with what PgBouncer shows. */
export function compare(files: Files, shown: Console): Comparison {
  const settings = compareSettings(files.ini, shown.config);
  const parts = [compareDatabases(files.ini, shown), compareUsers(files, shown), ofOtherFiles(files, shown)];
  const { fault } = files.ini;
  return {
    differences: [
      ...(fault === undefined ? [] : [fault]),
      ...settings.differences,
      ...parts.flatMap(({ differences }) => differences),
    ],
    pendingRestart: settings.pendingRestart,
    unverified: parts.flatMap(({ unverified }) => unverified),
  };
}

function compareSettings(ini: Ini, config: readonly ConsoleRow[]): Omit<Comparison, "unverified"> {
  const wanted = sectionOf(ini, "pgbouncer");
  const shown = new Map(config.map((row) => [row.key ?? "", row]));
  const differences: Difference[] = [];
  const pendingRestart: string[] = [];
  for (const entry of wanted.values()) {
    const { key, value } = entry;
    const row = shown.get(key);
    if (row === undefined) differences.push(at(entry, `PgBouncer has no setting ${key}`));
    else if (!isSame(key, value, row.value ?? "")) {
      if (row.changeable === "yes") differences.push(at(entry, differs(key, value, row.value)));
      else pendingRestart.push(key);
    }
  }
  if (!isWhole(ini)) return { differences, pendingRestart };
  for (const [key, row] of shown) {
    const { value, default: initial } = row;
    const isKept = wanted.has(key) || NOT_OF_THE_FILE.includes(key) || row.changeable !== "yes" || !initial;
    if (!isKept && !isSame(key, initial, value ?? ""))
      differences.push(nowhere(differs(key, `${initial} (its default)`, value)));
  }
  return { differences, pendingRestart };
}

function ofOtherFiles({ ini, auth }: Files, { config }: Console): Part {
  const files = config
    .filter(({ key, value }) => FILES.test(key ?? "") && value)
    .map(({ key }) => `${key}: content`);
  const hasAuthFile =
    settingOf(config, "auth_file") && !WITHOUT_FILE.includes(settingOf(config, "auth_type") ?? "");
  const authFile = auth === undefined ? "auth_file" : "auth_file: passwords, and users who have left";
  return {
    differences: [],
    unverified: [
      ...ini.unseen.map((path) => `%include ${path}`),
      ...(hasAuthFile ? [authFile] : []),
      ...files,
      ...[...sectionOf(ini, "peers").keys()].map((peer) => `peer ${peer}`),
    ],
  };
}
