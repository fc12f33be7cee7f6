import type { Client } from "pg";
import { VERSION_SETTING } from "../../../contract/reload.ts";
import { type Connection, connect } from "../connect.ts";
import type { Shown } from "./evidence.ts";

export interface PostgresConnection extends Connection {
  readonly database: string;
}

const SHOWN = `
  SELECT pg_conf_load_time() > $1::timestamptz AS reloaded,
         current_setting('${VERSION_SETTING}', true) AS marker,
         ARRAY(SELECT name FROM pg_settings WHERE pending_restart ORDER BY name) AS pending`;

/** Names and not values: a value may hold a password. */
const FILE_ERRORS = `
  SELECT sourcefile AS file, sourceline AS line, name AS setting, concat_ws(': ', name, error) AS message
  FROM pg_file_settings WHERE error IS NOT NULL ORDER BY seqno`;

const HBA_ERRORS = `
  SELECT current_setting('hba_file') AS file, line_number AS line, NULL AS setting, error AS message
  FROM pg_hba_file_rules WHERE error IS NOT NULL ORDER BY line_number`;

/** Since PostgreSQL 15. */
const IDENT_ERRORS = `
  SELECT current_setting('ident_file') AS file, line_number AS line, NULL AS setting, error AS message
  FROM pg_ident_file_mappings WHERE error IS NOT NULL ORDER BY line_number`;

interface ErrorRow {
  readonly file: string | null;
  readonly line: number | null;
  readonly setting: string | null;
  readonly message: string;
}

/** One connection to PostgreSQL, for one reload. */
export class PostgresSession {
  readonly #client: Client;
  readonly #since: string;
  readonly #withIdent: boolean;

  private constructor(client: Client, since: string, withIdent: boolean) {
    this.#client = client;
    this.#since = since;
    this.#withIdent = withIdent;
  }

  /** Connects, and notes PostgreSQL's own time: a reload after it is a later one. Rejects where that is not possible. */
  static async open(connection: PostgresConnection): Promise<PostgresSession> {
    const client = await connect(connection, connection.database);
    try {
      const { rows } = await client.query<{ now: string; version: number }>(
        "SELECT clock_timestamp()::text AS now, current_setting('server_version_num')::int AS version",
      );
      const [row] = rows;
      if (row === undefined) throw new Error("PostgreSQL does not tell its time");
      return new PostgresSession(client, row.now, row.version >= 150_000);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
  }

  async shown(): Promise<Shown> {
    const { rows } = await this.#client.query<{
      reloaded: boolean;
      marker: string | null;
      pending: string[];
    }>(SHOWN, [this.#since]);
    const [row] = rows;
    const errors: ErrorRow[] = [];
    for (const query of [FILE_ERRORS, HBA_ERRORS, ...(this.#withIdent ? [IDENT_ERRORS] : [])])
      errors.push(...(await this.#client.query<ErrorRow>(query)).rows);
    return {
      reloaded: row?.reloaded === true,
      marker: row?.marker || undefined,
      pendingRestart: row?.pending ?? [],
      errors: errors.map(({ file, line, setting, message }) => ({
        file: file ?? undefined,
        line: line ?? undefined,
        setting: setting ?? undefined,
        message,
      })),
    };
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined);
  }
}
