/** How the injection tells the sidecar what to reload, and who may ask for it. Nothing of it is set where no annotation asks. */
export const RELOAD_SETTINGS = {
  PATRONI_INJECTOR_RELOAD_POSTGRES_VERSION:
    "Where the version of PostgreSQL's configuration stands: the path of a file, or `dcs`.",
  PATRONI_INJECTOR_RELOAD_POSTGRES_CONNECTION:
    "Where PostgreSQL is asked for proof: `<user>@<host>:<port>/<database>`; the host may be the folder of a Unix socket.",
  PATRONI_INJECTOR_RELOAD_POSTGRES_DIR:
    "The folder with `password`, and `username` where it is another, for that connection; may be empty or absent.",
  PATRONI_INJECTOR_RELOAD_PGBOUNCER_VERSION:
    "The path of the file with the version of PgBouncer's configuration.",
  PATRONI_INJECTOR_RELOAD_PGBOUNCER_INI: "The path of pgbouncer.ini.",
  PATRONI_INJECTOR_RELOAD_PGBOUNCER_CONSOLE:
    "PgBouncer's console: `<user>@<host>:<port>`; the host may be the folder of a Unix socket.",
  PATRONI_INJECTOR_RELOAD_PGBOUNCER_DIR:
    "The folder with `password`, and `username` where it is another, for the console; may be empty or absent.",
  PATRONI_INJECTOR_RELOAD_PGBOUNCER_METHOD:
    "`console` (default): RELOAD on the console, and proof. `signal`: SIGHUP, and none.",
  PATRONI_INJECTOR_RELOAD_PGBOUNCER_RECONNECT:
    "`on`: RECONNECT on the console whenever another primary is published.",
  PATRONI_INJECTOR_RELOAD_PORT: "The port of the listener with TLS; absent: there is none.",
  PATRONI_INJECTOR_RELOAD_TLS_DIR:
    "The folder with `tls.crt` and `tls.key` of that listener, which is closed until they are there.",
  PATRONI_INJECTOR_RELOAD_ALLOW:
    "ServiceAccounts that may call: `<namespace>/<name>`, separated by commas; with `:status` at its end, one may ask for the status alone.",
  PATRONI_INJECTOR_RELOAD_SOCKET: "The path of a Unix socket without authentication; absent: there is none.",
  PATRONI_INJECTOR_RELOAD_AUTOMATIC: "`on`: reload whenever the version grows, without a call.",
} as const;

export type ReloadSetting = keyof typeof RELOAD_SETTINGS;

const ONLY_STATUS = ":status";

/** As the allow-list names a ServiceAccount that may look and not reload. No name of one has a colon. */
export const onlyStatus = (account: string): string => account + ONLY_STATUS;

/** An entry of the allow-list. */
export function allowed(entry: string): { readonly account: string; readonly onlyLooks: boolean } {
  const onlyLooks = entry.endsWith(ONLY_STATUS);
  return { account: onlyLooks ? entry.slice(0, -ONLY_STATUS.length) : entry, onlyLooks };
}
