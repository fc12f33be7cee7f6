import { setTimeout as delay } from "node:timers/promises";
import type { Connection } from "../connect.ts";
import { failed, messageOf, type Outcome, proven } from "../outcome.ts";
import { isPassing, withGrace } from "../retry.ts";
import { readMounted } from "../versions/volume.ts";
import { parseAuthFile } from "./auth-file.ts";
import { compare } from "./compare.ts";
import { PgbouncerConsole } from "./console.ts";
import { type Ini, loadIni } from "./load.ts";
import { mountedPath, readSeen } from "./mount.ts";
import { type Comparison, settingOf } from "./shown.ts";
import { signalPgbouncer } from "./signal.ts";

export interface PgbouncerReloadOptions {
  readonly method: "console" | "signal";
  readonly console: Connection;
  /** pgbouncer.ini, as it is mounted here. */
  readonly iniPath: string;
}

/** A database that left the file leaves PgBouncer with its next turn. Milliseconds. */
const SETTLED_AFTER_MS = 1000;
const PAUSE_MS = 50;

/**
 * Reloads PgBouncer, and proves on its console that it shows what pgbouncer.ini says: before 1.25 it answers a RELOAD of a faulty file
 * as that of a good one, and it has neither a load time nor a version. Never rejects.
 */
export async function reloadPgbouncer({
  method,
  console,
  iniPath,
}: PgbouncerReloadOptions): Promise<Outcome> {
  if (method === "signal") {
    return signalPgbouncer().then(
      () => proven("signalled", [], ["whether PgBouncer has taken anything of it"]),
      (error) => failed("reload-rejected", messageOf(error)),
    );
  }
  let text: string;
  try {
    text = await readMounted(iniPath);
  } catch (error) {
    return failed(
      "reload-unproven",
      `nothing was reloaded, for pgbouncer.ini cannot be read: ${messageOf(error)}`,
    );
  }
  let session: PgbouncerConsole;
  try {
    session = await withGrace(() => PgbouncerConsole.open(console), isPassing);
  } catch (error) {
    return failed("reload-rejected", `PgBouncer's console cannot be reached: ${messageOf(error)}`);
  }
  try {
    const conffile = settingOf(await session.config(), "conffile") ?? iniPath;
    const mounted = mountedPath(conffile, iniPath);
    const ini = await loadIni(conffile, text, (path) => readSeen(path, mounted));
    if (ini.entries.length === 0)
      return failed("reload-unproven", `nothing was reloaded, for ${iniPath} says nothing`);
    await session.reload();
    return await prove(session, ini, mounted);
  } catch (error) {
    return failed("reload-rejected", `PgBouncer refuses: ${messageOf(error)}`);
  } finally {
    await session.close();
  }
}

async function prove(
  session: PgbouncerConsole,
  ini: Ini,
  mounted: (path: string) => string | undefined,
): Promise<Outcome> {
  const until = performance.now() + SETTLED_AFTER_MS;
  for (;;) {
    const shown = await session.shown();
    const file = settingOf(shown.config, "auth_file");
    const text = file && (await readSeen(file, mounted));
    const auth = file && text !== undefined ? { file, ...parseAuthFile(text) } : undefined;
    const comparison = compare({ ini, auth }, shown);
    if (comparison.differences.length === 0)
      return proven("console", comparison.pendingRestart, comparison.unverified);
    if (performance.now() > until) return otherThan(ini, comparison);
    await delay(PAUSE_MS);
  }
}

/** What a file that is not seen says may explain any difference but a fault. */
function otherThan({ unseen, fault }: Ini, { differences }: Comparison): Outcome {
  return unseen.length === 0 || fault !== undefined
    ? failed("configuration-invalid", "PgBouncer does not show what its files say", differences)
    : failed(
        "reload-unproven",
        `PgBouncer does not show what its file says, and what it includes is not mounted here: ${unseen.join(", ")}`,
        differences,
      );
}
