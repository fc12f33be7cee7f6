import type { Client, QueryResult } from "pg";
import { type Connection, connect } from "../connect.ts";
import type { Console, ConsoleRow } from "./shown.ts";

/**
 * PgBouncer's console: a database of its own, which knows the simple query protocol only, so that no query may have values. RELOAD asks
 * for a user of `admin_users`.
 */
export class PgbouncerConsole {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  static async open(connection: Connection): Promise<PgbouncerConsole> {
    return new PgbouncerConsole(await connect(connection, "pgbouncer"));
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

  /** All that can be compared with the files. */
  async shown(): Promise<Console> {
    return {
      config: await this.config(),
      databases: await this.#show("SHOW DATABASES"),
      users: await this.#show("SHOW USERS"),
    };
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
