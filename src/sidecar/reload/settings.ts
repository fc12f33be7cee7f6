import { PGBOUNCER_PORT } from "../../contract/ports.ts";
import type { ReloadSetting } from "../../contract/reload-env.ts";
import { commaList, port } from "../../contract/syntax.ts";
import { type EnvironmentReader, readEnvironment } from "../environment.ts";
import type { Connection } from "./connect.ts";
import type { PostgresConnection } from "./postgres/session.ts";

/** What the sidecar was told to reload, and whom to listen to (contract/reload-env.ts). */
export interface ReloadConfig {
  readonly postgres:
    | { readonly version: string | "dcs"; readonly connection: PostgresConnection | undefined }
    | undefined;
  readonly pgbouncer:
    | {
        readonly version: string;
        readonly iniPath: string;
        readonly console: Connection;
        readonly method: "console" | "signal";
      }
    | undefined;
  readonly secure:
    | { readonly port: number; readonly tlsDir: string; readonly allowed: readonly string[] }
    | undefined;
  readonly socket: string | undefined;
  readonly automatic: boolean;
}

const DEFAULT_USER = { postgres: "postgres", pgbouncer: "pgbouncer" };
const CONNECTION = /^(?:([^@]+)@)?(\/[^:]*|\[[^\]]+\]|[^:/]+):([0-9]+)(?:\/([^/]+))?$/;

/** Reads the environment. Throws one error that names every variable which is missing or not allowed. */
export const readReloadSettings = (environment: NodeJS.ProcessEnv): ReloadConfig =>
  readEnvironment(environment, (reader) => {
    const { optional, required, portOf, oneOf } = reader;
    const postgresVersion = optional("PATRONI_INJECTOR_RELOAD_POSTGRES_VERSION");
    const pgbouncerVersion = optional("PATRONI_INJECTOR_RELOAD_PGBOUNCER_VERSION");
    const hasPort = optional("PATRONI_INJECTOR_RELOAD_PORT") !== undefined;
    return {
      postgres:
        postgresVersion === undefined
          ? undefined
          : {
              version: postgresVersion,
              connection: connection(
                reader,
                "PATRONI_INJECTOR_RELOAD_POSTGRES_CONNECTION",
                "PATRONI_INJECTOR_RELOAD_POSTGRES_DIR",
                DEFAULT_USER.postgres,
              ),
            },
      pgbouncer:
        pgbouncerVersion === undefined
          ? undefined
          : {
              version: pgbouncerVersion,
              iniPath: required("PATRONI_INJECTOR_RELOAD_PGBOUNCER_INI"),
              console: consoleIn(reader),
              method: oneOf("PATRONI_INJECTOR_RELOAD_PGBOUNCER_METHOD", ["console", "signal"], "console"),
            },
      secure: hasPort
        ? {
            port: portOf("PATRONI_INJECTOR_RELOAD_PORT"),
            tlsDir: required("PATRONI_INJECTOR_RELOAD_TLS_DIR"),
            allowed: commaList(optional("PATRONI_INJECTOR_RELOAD_ALLOW") ?? ""),
          }
        : undefined,
      socket: optional("PATRONI_INJECTOR_RELOAD_SOCKET"),
      automatic: optional("PATRONI_INJECTOR_RELOAD_AUTOMATIC") === "on",
    };
  });

/** PgBouncer's console alone. Throws where it is not allowed. */
export const readConsole = (environment: NodeJS.ProcessEnv): Connection =>
  readEnvironment(environment, consoleIn);

function consoleIn(reader: EnvironmentReader): Connection {
  const { pgbouncer: user } = DEFAULT_USER;
  const [name, dir] = [
    "PATRONI_INJECTOR_RELOAD_PGBOUNCER_CONSOLE",
    "PATRONI_INJECTOR_RELOAD_PGBOUNCER_DIR",
  ] as const;
  return (
    connection(reader, name, dir, user) ?? {
      host: "127.0.0.1",
      port: PGBOUNCER_PORT,
      user,
      secretDir: undefined,
    }
  );
}

function connection(
  { optional, problem }: EnvironmentReader,
  name: ReloadSetting,
  dir: ReloadSetting,
  user: string,
): PostgresConnection | undefined {
  const text = optional(name);
  if (text === undefined) return undefined;
  const found = connectionIn(text, user, optional(dir));
  if (found === undefined) problem(`${name} is not [<user>@]<host>:<port>[/<database>]`);
  return found;
}

function connectionIn(
  text: string,
  user: string,
  secretDir: string | undefined,
): PostgresConnection | undefined {
  const [, name = user, host = "", digits = "", database = "postgres"] = CONNECTION.exec(text) ?? [];
  const number = port.read(digits);
  if (number === undefined) return undefined;
  return { user: name, host: host.replace(/^\[|\]$/g, ""), port: number, database, secretDir };
}
