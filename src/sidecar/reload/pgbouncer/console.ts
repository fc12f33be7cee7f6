import type { Client, QueryResult } from "pg";
import { credentials, type PostgresConnection } from "../postgres/session.ts";
import type { ConsoleRow } from "./compare.ts";

export type ConsoleConnection = Omit<PostgresConnection, "database">;

/** Milliseconds. */
const TIMEOUT_MS = 5000;

/**
 * PgBouncer's console: a database of its own, which knows the simple query protocol only, so that no query may have values. RELOAD asks
 * for a user of `admin_users`.
 */
export class PgbouncerConsole {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  static async open(connection: ConsoleConnection): Promise<PgbouncerConsole> {
    // Only here: it costs 5 MB, and most sidecars never need it.
    const { default: pg } = await import("pg");
    const client = new pg.Client({
      host: connection.host,
      port: connection.port,
      database: "pgbouncer",
      ...credentials(connection),
      ssl: false,
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
    });
    client.on("error", () => undefined); // a lost connection is told by the next query
    try {
      await client.connect();
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    return new PgbouncerConsole(client);
  }

  async reload(): Promise<void> {
    await this.#client.query("RELOAD");
  }

  /** Server connections are closed as soon as they are free, and made anew. */
  async reconnect(): Promise<void> {
    await this.#client.query("RECONNECT");
  }

  config(): Promise<readonly ConsoleRow[]> {
    return this.#show("SHOW CONFIG");
  }

  databases(): Promise<readonly ConsoleRow[]> {
    return this.#show("SHOW DATABASES");
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined);
  }

  async #show(command: string): Promise<readonly ConsoleRow[]> {
    const { rows }: QueryResult<Record<string, unknown>> = await this.#client.query(command);
    return rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([key, value]) => [key, value === null ? null : String(value)]),
      ),
    );
  }
}
