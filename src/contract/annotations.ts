import { DOMAIN } from "./names.ts";
import {
  cidrs,
  configVersion,
  dnsLabel,
  fileName,
  objectName,
  oneOf,
  port,
  ports,
  quantity,
  type Syntax,
  scope,
  serviceAccounts,
  serviceName,
  userName,
} from "./syntax.ts";

/**
 * The annotations that a user may set on a pod, each documented here and nowhere else
 * (docs/reference/annotations.md is generated from this table). Stable once shipped.
 */
interface AnnotationEntry<Value> {
  readonly syntax: Syntax<Value>;
  readonly means: string;
}

const entry = <Value>(syntax: Syntax<Value>, means: string): AnnotationEntry<Value> => ({ syntax, means });
const onOff = oneOf("on", "off");

export const ANNOTATIONS = {
  inject: entry(oneOf("true", "false"), "`false`: this pod is left alone."),
  container: entry(
    dnsLabel,
    "The container that runs Patroni, where it cannot be told from its environment and ports.",
  ),
  cluster: entry(
    scope,
    "The cluster's scope. Default: `PATRONI_SCOPE` or `SCOPE`, else the scope label; of a pooler the label `pooler-of`, else `cluster-name`.",
  ),
  "headless-service": entry(
    serviceName,
    "The headless Service of the members' DNS names. Default: `<scope>-headless`.",
  ),
  "primary-service": entry(serviceName, "The Service that leads to the primary. Default: `<scope>-primary`."),
  "postgres-port": entry(port, "PostgreSQL's port. Default: from the environment, else 5432."),
  "patroni-port": entry(port, "The port of Patroni's REST API. Default: from the environment, else 8008."),
  "patroni-scheme": entry(
    oneOf("http", "https"),
    "`https` where Patroni's REST API has a `certfile`. Default: `http`.",
  ),
  "patroni-ca-secret": entry(objectName, "Secret whose `ca.crt` verifies Patroni's REST API."),
  "patroni-client-secret": entry(
    objectName,
    "Secret with `tls.crt` and `tls.key`: the client certificate for Patroni's REST API.",
  ),
  "patroni-auth-secret": entry(objectName, "Secret with `username` and `password` of Patroni's REST API."),
  "exclude-ports": entry(ports, "Further inbound ports that the mesh leaves alone."),
  "exclude-outbound-ip-ranges": entry(cidrs, "Further address ranges that the pod reaches past the mesh."),
  "connect-addresses": entry(
    onOff,
    "`off`: members go on announcing what they announce today. `on`: they announce DNS names although a ConfigMap (`envFrom`) may hold addresses.",
  ),
  mesh: entry(onOff, "`off`: no mesh annotations are written."),
  discovery: entry(onOff, "`off`: the sidecar does not publish the primary."),
  reload: entry(onOff, "`off`: the sidecar does not serve the reload API."),
  "reload-postgres-volume": entry(
    dnsLabel,
    "The pod's volume with PostgreSQL's configuration and its version. Asks for the reload API.",
  ),
  "reload-postgres-version": entry(
    oneOf("file", "annotation", "dcs"),
    "Where the version of PostgreSQL's configuration stands: `file` (default) in that volume; `annotation`: `postgres-config-version` on this pod; `dcs`: `patroni_injector.config_version` in the parameters of Patroni's DCS. The last two ask for the reload API without a volume.",
  ),
  "reload-postgres-version-file": entry(
    fileName,
    "The file with the version in that volume. Default: `version`.",
  ),
  "reload-postgres-secret": entry(
    objectName,
    "Secret with `username` and `password` of a role of PostgreSQL's that is asked for proof. Without it no reload is ever proven.",
  ),
  "reload-pgbouncer-volume": entry(
    dnsLabel,
    "The pod's volume with `pgbouncer.ini` and its version. Asks for the reload API.",
  ),
  "reload-pgbouncer-version": entry(
    oneOf("file", "annotation"),
    "Where the version of PgBouncer's configuration stands: `file` (default) in that volume; `annotation`: `pgbouncer-config-version` on this pod.",
  ),
  "reload-pgbouncer-version-file": entry(
    fileName,
    "The file with the version in that volume. Default: `version`.",
  ),
  "reload-pgbouncer-ini": entry(fileName, "PgBouncer's file in that volume. Default: `pgbouncer.ini`."),
  "reload-pgbouncer-host": entry(
    oneOf("127.0.0.1", "::1", "pod"),
    "Where PgBouncer's console listens: on a loopback address, or on the pod's own (`pod`). Default: `127.0.0.1`.",
  ),
  "reload-pgbouncer-port": entry(port, "The port of PgBouncer's console. Default: 6432."),
  "reload-pgbouncer-socket-volume": entry(
    dnsLabel,
    "The pod's volume with PgBouncer's Unix socket, where the console is not to be reached over TCP.",
  ),
  "reload-pgbouncer-user": entry(userName, "The console's user, one of `admin_users`. Default: `pgbouncer`."),
  "reload-pgbouncer-secret": entry(
    objectName,
    "Secret with `password`, and `username` where it is another, for the console.",
  ),
  "reload-pgbouncer-method": entry(
    oneOf("console", "signal"),
    "`signal`: a SIGHUP instead of RELOAD, and nothing is proven; the pod must share its process namespace and PgBouncer run as the sidecar's user.",
  ),
  "reload-pgbouncer-reconnect": entry(
    onOff,
    "`on`: PgBouncer makes its server connections anew (RECONNECT) whenever another primary is published. Default: `on` in a pod without Patroni (a pooler), else `off`.",
  ),
  "reload-tls-secret": entry(
    objectName,
    "Secret with `tls.crt` and `tls.key` (and `ca.crt`, for who calls): the reload API listens on port 8012 once it is there. Default of members: `patroni-injector-reload-tls`, which the controller keeps; of poolers none.",
  ),
  "reload-allow": entry(
    serviceAccounts,
    "ServiceAccounts whose tokens for the audience `patroni-injector` may call the reload API. The controller, which asks for the status alone, always may.",
  ),
  "reload-socket": entry(
    onOff,
    "`on`: the reload API listens without authentication on a Unix socket in the sidecar, for whoever may exec into it.",
  ),
  "reload-automatic": entry(onOff, "`on`: a version that grows is reloaded without a call."),
  "postgres-config-version": entry(
    configVersion,
    "The version of PostgreSQL's configuration; may change at any time.",
  ),
  "pgbouncer-config-version": entry(
    configVersion,
    "The version of PgBouncer's configuration; may change at any time.",
  ),
  "spilo-token": entry(
    oneOf("fix"),
    "`fix`: fsGroup is set to 103, so that Spilo's Patroni can read its token.",
  ),
  "sidecar-cpu-request": entry(quantity, "CPU request of the sidecar."),
  "sidecar-cpu-limit": entry(
    quantity,
    "CPU limit of the sidecar. A throttled sidecar makes a slow failover.",
  ),
  "sidecar-memory-request": entry(quantity, "Memory request of the sidecar."),
  "sidecar-memory-limit": entry(quantity, "Memory limit of the sidecar."),
  "sidecar-log-level": entry(oneOf("debug", "info", "warn", "error"), "Log level of the sidecar."),
} as const satisfies Record<string, AnnotationEntry<unknown>>;

export type AnnotationName = keyof typeof ANNOTATIONS;

/** The values of a pod's annotations, read: only those that are set and allowed. */
export type AnnotationValues = {
  readonly [Name in AnnotationName]?: (typeof ANNOTATIONS)[Name] extends AnnotationEntry<infer Value>
    ? Value
    : never;
};

/**
 * Written by the webhook, never read back by it: JSON `{version, applied: […], image}`. The image is that which the sidecar was
 * asked for, where it has one; the controller compares it with what is configured.
 */
export const STATUS_ANNOTATION = `${DOMAIN}/status`;

/** The full key of an annotation. */
export const annotationKey = (name: AnnotationName): string => `${DOMAIN}/${name}`;
