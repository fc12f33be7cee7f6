import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "pg";

/** Where PostgreSQL, or PgBouncer's console, is asked. */
export interface Connection {
  /** A host, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The folder with `password`, and `username` where it is not `user`; may be empty or absent. */
  readonly secretDir: string | undefined;
}

/** Connections and queries take a few milliseconds, for both ends are in one pod. Milliseconds. */
const TIMEOUT_MS = 5000;

const NO_TLS = "The server does not support SSL connections";

/** No rule of pg_hba.conf takes this role in this way (`hostnossl`), among others. */
const NOT_THIS_WAY = "28000";

/**
 * Connects, over TCP with TLS where the server has it and takes the role with it, else without (as libpq's `sslmode=prefer`): its
 * certificate is not asked for, for the connection does not leave the pod. A wrong password is not tried again. Rejects where that is
 * not possible.
 */
export async function connect(connection: Connection, database: string): Promise<Client> {
  const isSocket = connection.host.startsWith("/");
  try {
    return await open(connection, database, !isSocket);
  } catch (error) {
    if (isSocket) throw error;
    if ((error as Error).message === NO_TLS) return open(connection, database, false);
    if ((error as NodeJS.ErrnoException).code !== NOT_THIS_WAY) throw error;
    return open(connection, database, false).catch((plain: unknown) => {
      throw new AggregateError([error, plain]);
    });
  }
}

async function open(
  { host, port, user, secretDir }: Connection,
  database: string,
  tls: boolean,
): Promise<Client> {
  // Only here: it costs 5 MB, and most sidecars never need it.
  const { default: pg } = await import("pg");
  const client = new pg.Client({
    host,
    port,
    database,
    // Read at each connection: the Secret may change in place, or come late.
    user: secret(secretDir, "username") ?? user,
    password: secret(secretDir, "password") ?? "",
    ssl: tls && { rejectUnauthorized: false },
    application_name: "patroni-injector",
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  client.on("error", () => undefined); // a lost connection is told by the next query
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

function secret(dir: string | undefined, name: string): string | undefined {
  try {
    return dir === undefined ? undefined : readFileSync(join(dir, name), "utf8").trimEnd() || undefined;
  } catch {
    return undefined;
  }
}
