import { setTimeout as delay } from "node:timers/promises";
import type { Connection } from "../connect.ts";
import { failed, messageOf, type Outcome, proven } from "../outcome.ts";
import { isPassing, withGrace } from "../retry.ts";
import { readMounted } from "../versions/volume.ts";
import { type Comparison, compare } from "./compare.ts";
import { PgbouncerConsole } from "./console.ts";
import { type Ini, parseIni } from "./ini.ts";
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
      () => proven("signalled"),
      (error) => failed("reload-rejected", messageOf(error)),
    );
  }
  let ini: Ini;
  try {
    ini = parseIni(await readMounted(iniPath));
  } catch (error) {
    return failed(
      "reload-unproven",
      `nothing was reloaded, for pgbouncer.ini cannot be read: ${messageOf(error)}`,
    );
  }
  if (ini.entries.length === 0)
    return failed("reload-unproven", `nothing was reloaded, for ${iniPath} says nothing`);
  let session: PgbouncerConsole;
  try {
    session = await withGrace(() => PgbouncerConsole.open(console), isPassing);
  } catch (error) {
    return failed("reload-rejected", `PgBouncer's console cannot be reached: ${messageOf(error)}`);
  }
  try {
    await session.reload();
    return await prove(session, ini, iniPath);
  } catch (error) {
    return failed("reload-rejected", `PgBouncer refuses: ${messageOf(error)}`);
  } finally {
    await session.close();
  }
}

async function prove(session: PgbouncerConsole, ini: Ini, file: string): Promise<Outcome> {
  const until = performance.now() + SETTLED_AFTER_MS;
  for (;;) {
    const { differences, pendingRestart }: Comparison = compare(
      ini,
      await session.config(),
      await session.databases(),
    );
    if (differences.length === 0) return proven("console", pendingRestart);
    if (performance.now() > until) {
      const errors = differences.map(({ line, message }) => ({ file, line, message }));
      return failed("configuration-invalid", "PgBouncer does not show what its file says", errors);
    }
    await delay(PAUSE_MS);
  }
}
