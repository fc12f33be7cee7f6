import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "pg";
import { VERSION_SETTING } from "../../../contract/reload.ts";
import type { Shown } from "./evidence.ts";

/** Where PostgreSQL is asked for proof. */
export interface PostgresConnection {
  /** A host, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** The folder with `password`, and `username` where it is not `user`; may be empty or absent. */
  readonly secretDir: string | undefined;
}

/** The queries take a few milliseconds. Milliseconds. */
const TIMEOUT_MS = 5000;

const SHOWN = `
  SELECT pg_conf_load_time() > $1::timestamptz AS reloaded,
         current_setting('${VERSION_SETTING}', true) AS marker,
         ARRAY(SELECT name FROM pg_settings WHERE pending_restart ORDER BY name) AS pending`;

/** `could not be applied` is all that PostgreSQL says of a value; the value says more. */
const FILE_ERRORS = `
  SELECT sourcefile AS file, sourceline AS line, name AS setting,
         concat_ws(' ', name || ' = ' || quote_literal(setting) || ':', error) AS message
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
    // Only here: it costs 5 MB, and most sidecars never need it.
    const { default: pg } = await import("pg");
    const { host, port, database } = connection;
    const client = new pg.Client({
      host,
      port,
      database,
      ...credentials(connection),
      ssl: false,
      application_name: "patroni-injector",
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
    });
    client.on("error", () => undefined); // a lost connection is told by the next query
    try {
      await client.connect();
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

/** Read at each connection: the Secret may change in place, or come late. */
export function credentials({ user, secretDir }: Pick<PostgresConnection, "user" | "secretDir">) {
  return { user: secret(secretDir, "username") ?? user, password: secret(secretDir, "password") ?? "" };
}

function secret(dir: string | undefined, name: string): string | undefined {
  try {
    return dir === undefined ? undefined : readFileSync(join(dir, name), "utf8").trimEnd() || undefined;
  } catch {
    return undefined;
  }
}
