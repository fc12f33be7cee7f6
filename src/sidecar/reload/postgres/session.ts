import type { Client } from "pg";
import { VERSION_SETTING } from "../../../contract/reload.ts";
import { type Connection, connect } from "../connect.ts";
import type { Shown } from "./evidence.ts";
import type { HbaRule } from "./hba.ts";
import type { Written } from "./parameters.ts";

export interface PostgresConnection extends Connection {
  readonly database: string;
}

const SHOWN = `
  SELECT pg_conf_load_time() > $1::timestamptz AS reloaded,
         current_setting('${VERSION_SETTING}', true) AS marker`;

const PENDING = "SELECT name FROM pg_settings WHERE pending_restart ORDER BY name";

/**
 * Names and not values: a value may hold a password. A setting that has left the files and stays until a restart is none (its row has no
 * name, and words that are not translated: ProcessConfigFileInternal).
 */
const FILE_ERRORS = `
  SELECT sourcefile AS file, sourceline AS line, name AS setting, concat_ws(': ', name, error) AS message
  FROM pg_file_settings
  WHERE error IS NOT NULL AND error NOT LIKE 'parameter "%" cannot be changed without restarting the server'
  ORDER BY seqno`;

const HBA_ERRORS = `
  SELECT current_setting('hba_file') AS file, line_number AS line, NULL AS setting, error AS message
  FROM pg_hba_file_rules WHERE error IS NOT NULL ORDER BY line_number`;

/** Since PostgreSQL 15. */
const IDENT_ERRORS = `
  SELECT current_setting('ident_file') AS file, line_number AS line, NULL AS setting, error AS message
  FROM pg_ident_file_mappings WHERE error IS NOT NULL ORDER BY line_number`;

/** Patroni's file is the one that PostgreSQL was started with; it includes others, and ALTER SYSTEM's is read after it. */
const WRITTEN = `
  SELECT f.name, coalesce(f.setting, '') AS value, f.sourcefile = current_setting('config_file') AS "byPatroni",
         s.vartype, s.unit, s.min_val::float8 AS least, s.max_val::float8 AS most
  FROM pg_file_settings f LEFT JOIN pg_settings s ON lower(s.name) = lower(f.name)
  WHERE f.name IS NOT NULL ORDER BY f.seqno`;

const HBA_RULES = `
  SELECT type, database AS databases, user_name AS users, address, auth_method AS method
  FROM pg_hba_file_rules ORDER BY line_number`;

interface ErrorRow {
  readonly file: string | null;
  readonly line: number | null;
  readonly setting: string | null;
  readonly message: string;
}

type WrittenRow = { readonly [Key in keyof Written]: Exclude<Written[Key], undefined> | null };

/** One connection to PostgreSQL, for one reload. */
export class PostgresSession {
  readonly #client: Client;
  readonly #since: string;
  /** PostgreSQL's major version. */
  readonly major: number;

  private constructor(client: Client, since: string, major: number) {
    this.#client = client;
    this.#since = since;
    this.major = major;
  }

  /** Connects, and notes PostgreSQL's own time: a reload after it is a later one. Rejects where that is not possible. */
  static async open(connection: PostgresConnection): Promise<PostgresSession> {
    const client = await connect(connection, connection.database);
    try {
      const { rows } = await client.query<{ now: string; major: number }>(
        "SELECT clock_timestamp()::text AS now, current_setting('server_version_num')::int / 10000 AS major",
      );
      const [row] = rows;
      if (row === undefined) throw new Error("PostgreSQL does not tell its time");
      return new PostgresSession(client, row.now, row.major);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
  }

  async shown(): Promise<Shown> {
    // First of all: what is read after it is no older than what was loaded.
    const { rows } = await this.#client.query<{ reloaded: boolean; marker: string | null }>(SHOWN, [
      this.#since,
    ]);
    const [row] = rows;
    const errors: ErrorRow[] = [];
    for (const query of [FILE_ERRORS, HBA_ERRORS, ...(this.major >= 15 ? [IDENT_ERRORS] : [])])
      errors.push(...(await this.#client.query<ErrorRow>(query)).rows);
    // Last: with a look at its files PostgreSQL notes which settings wait for a restart.
    const pending = await this.#client.query<{ name: string }>(PENDING);
    return {
      reloaded: row?.reloaded === true,
      marker: row?.marker || undefined,
      pendingRestart: pending.rows.map(({ name }) => name),
      errors: errors.map(({ file, line, setting, message }) => ({
        file: file ?? undefined,
        line: line ?? undefined,
        setting: setting ?? undefined,
        message,
      })),
    };
  }

  /** What its configuration files say, those of Patroni and others. */
  async written(): Promise<readonly Written[]> {
    const { rows } = await this.#client.query<WrittenRow>(WRITTEN);
    return rows.map(({ name, value, byPatroni, vartype, unit, least, most }) => ({
      name: name ?? "",
      value: value ?? "",
      byPatroni: byPatroni === true,
      vartype: vartype ?? undefined,
      unit: unit ?? undefined,
      least: least ?? undefined,
      most: most ?? undefined,
    }));
  }

  async hbaRules(): Promise<readonly HbaRule[]> {
    return (await this.#client.query<HbaRule>(HBA_RULES)).rows;
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined);
  }
}
