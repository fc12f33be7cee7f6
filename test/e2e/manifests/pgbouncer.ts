import { PGBOUNCER_PORT } from "../../../src/contract/ports.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { PASSWORD, RESTRICTED_CONTAINER } from "./patroni.ts";

export const PGBOUNCER_CONTAINER = "pgbouncer";
/** Its ConfigMap and volume: pgbouncer.ini beside its version. */
export const POOL = "pool";
export const CONSOLE_USER = "admin";
/** Server connections that the pool holds ready, so that there are idle ones when the primary changes. */
export const IDLE_CONNECTIONS = 5;

const LOGIN = "pool-login";
const USERS = "pool-users";
const USERS_MOUNT = "/etc/pgbouncer-users";

/** What a test changes in pgbouncer.ini. */
export interface Pooled {
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Further lines, as they are. */
  readonly more?: readonly string[];
}

/** pgbouncer.ini for a pool in front of a primary Service. */
export function pgbouncerIni(primaryService: string, { settings, more = [] }: Pooled = {}): string {
  const all = {
    listen_addr: "0.0.0.0",
    listen_port: PGBOUNCER_PORT,
    // The root file system is read-only.
    unix_socket_dir: "",
    auth_type: "scram-sha-256",
    auth_file: `${USERS_MOUNT}/userlist.txt`,
    admin_users: CONSOLE_USER,
    pool_mode: "transaction",
    min_pool_size: IDLE_CONNECTIONS,
    // A login that failed is tried again after so many seconds, in place of 15.
    server_login_retry: 1,
    ...settings,
  };
  return [
    "[databases]",
    `postgres = host=${primaryService} port=5432`,
    "",
    "[pgbouncer]",
    ...Object.entries(all).map(([key, value]) => `${key} = ${value}`),
    ...more,
    "",
  ].join("\n");
}

/** The ConfigMap that a pod's volume shows: one change brings the file and its version. */
export const poolConfig = (
  namespace: string,
  primaryService: string,
  version: number,
  pooled?: Pooled,
): JsonObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: POOL, namespace },
  data: { version: String(version), "pgbouncer.ini": pgbouncerIni(primaryService, pooled) },
});

/** Secrets of the pool: who may sign in, and how the console's user does. */
export function poolSecrets(namespace: string): JsonObject[] {
  const users = ["postgres", CONSOLE_USER].map((user) => `"${user}" "${PASSWORD}"\n`).join("");
  return [
    secret(namespace, USERS, { "userlist.txt": users }),
    secret(namespace, LOGIN, { username: CONSOLE_USER, password: PASSWORD }),
  ];
}

/** The Secret that lets the sidecar into the console. */
export const poolLoginSecret = LOGIN;

/** The container, on the volumes of {@link poolVolumes}. */
export const poolContainer = (image: string): JsonObject => ({
  name: PGBOUNCER_CONTAINER,
  image,
  imagePullPolicy: "IfNotPresent",
  args: ["/etc/pgbouncer/pgbouncer.ini"],
  ports: [{ name: "pool", containerPort: PGBOUNCER_PORT }],
  securityContext: { ...RESTRICTED_CONTAINER, readOnlyRootFilesystem: true },
  readinessProbe: { tcpSocket: { port: PGBOUNCER_PORT }, periodSeconds: 2 },
  resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "64Mi" } },
  volumeMounts: [
    { name: POOL, mountPath: "/etc/pgbouncer" },
    { name: USERS, mountPath: USERS_MOUNT },
  ],
});

export const poolVolumes: readonly JsonObject[] = [
  { name: POOL, configMap: { name: POOL } },
  { name: USERS, secret: { secretName: USERS } },
];

const secret = (namespace: string, name: string, stringData: JsonObject): JsonObject => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, namespace },
  stringData,
});
