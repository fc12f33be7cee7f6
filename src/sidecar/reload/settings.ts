import type { ReloadSetting } from "../../contract/reload-env.ts";
import { commaList, port } from "../../contract/syntax.ts";
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
        readonly reconnect: boolean;
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
export function readReloadSettings(environment: NodeJS.ProcessEnv): ReloadConfig {
  const problems: string[] = [];
  const optional = (name: ReloadSetting): string | undefined => environment[name] || undefined;
  const required = (name: ReloadSetting): string => {
    const value = optional(name);
    if (value === undefined) problems.push(`${name} is not set`);
    return value ?? "";
  };
  const connection = (
    name: ReloadSetting,
    dir: ReloadSetting,
    user: string,
  ): PostgresConnection | undefined => {
    const text = optional(name);
    if (text === undefined) return undefined;
    const found = connectionIn(text, user, optional(dir));
    if (found === undefined) problems.push(`${name} is not [<user>@]<host>:<port>[/<database>]`);
    return found;
  };

  const postgresVersion = optional("PATRONI_INJECTOR_RELOAD_POSTGRES_VERSION");
  const pgbouncerVersion = optional("PATRONI_INJECTOR_RELOAD_PGBOUNCER_VERSION");
  const console = connection(
    "PATRONI_INJECTOR_RELOAD_PGBOUNCER_CONSOLE",
    "PATRONI_INJECTOR_RELOAD_PGBOUNCER_DIR",
    DEFAULT_USER.pgbouncer,
  );
  const method = optional("PATRONI_INJECTOR_RELOAD_PGBOUNCER_METHOD") ?? "console";
  if (method !== "console" && method !== "signal")
    problems.push("PATRONI_INJECTOR_RELOAD_PGBOUNCER_METHOD is not one of console, signal");
  const portText = optional("PATRONI_INJECTOR_RELOAD_PORT");
  const securePort = portText === undefined ? undefined : port.read(portText);
  if (portText !== undefined && securePort === undefined)
    problems.push(`PATRONI_INJECTOR_RELOAD_PORT is not ${port.allowed}`);

  const config: ReloadConfig = {
    postgres:
      postgresVersion === undefined
        ? undefined
        : {
            version: postgresVersion,
            connection: connection(
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
            console: console ?? {
              host: "127.0.0.1",
              port: 6432,
              user: DEFAULT_USER.pgbouncer,
              secretDir: undefined,
            },
            method: method === "signal" ? "signal" : "console",
            reconnect: optional("PATRONI_INJECTOR_RELOAD_PGBOUNCER_RECONNECT") === "on",
          },
    secure:
      securePort === undefined
        ? undefined
        : {
            port: securePort,
            tlsDir: required("PATRONI_INJECTOR_RELOAD_TLS_DIR"),
            allowed: commaList(optional("PATRONI_INJECTOR_RELOAD_ALLOW") ?? ""),
          },
    socket: optional("PATRONI_INJECTOR_RELOAD_SOCKET"),
    automatic: optional("PATRONI_INJECTOR_RELOAD_AUTOMATIC") === "on",
  };
  if (problems.length > 0) throw new Error(problems.join("; "));
  return config;
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
