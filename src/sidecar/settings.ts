import type { PodIdentity } from "../primary/slice.ts";
import { type EnvironmentReader, readEnvironment } from "./environment.ts";

const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const SCHEMES = ["http", "https"] as const;
const LEADER_RESOURCES = ["configmaps", "endpoints"] as const;

/** What every sidecar was told by its environment (contract/sidecar-env.ts). */
export interface CommonConfig {
  readonly pod: Omit<PodIdentity, "address">;
  readonly cluster: string;
  readonly primaryService: string;
  readonly port: number;
  readonly tokenDir: string;
  /** An annotation asks for the reload API. */
  readonly reload: boolean;
  /** PgBouncer is to reconnect when another primary is published. */
  readonly reconnect: boolean;
  readonly logLevel: LogLevel;
}

/** Beside Patroni. */
export interface SidecarConfig extends CommonConfig {
  /** All addresses of the pod, of one family or both, in the kubelet's order. */
  readonly addresses: readonly string[];
  readonly postgresPort: number;
  readonly patroni: {
    readonly scheme: (typeof SCHEMES)[number];
    readonly host: string;
    readonly port: number;
    /** The name that its certificate must carry. */
    readonly name: string | undefined;
    readonly caDir: string | undefined;
    readonly clientDir: string | undefined;
  };
  readonly leaderObject:
    | { readonly resource: (typeof LEADER_RESOURCES)[number]; readonly name: string }
    | undefined;
  readonly discovery: boolean;
}

const ROLES = ["member", "pooler"] as const;
export type SidecarRole = (typeof ROLES)[number];

/** Beside what the sidecar runs. Throws where the environment names anything else. */
export function readRole(environment: NodeJS.ProcessEnv): SidecarRole {
  return readEnvironment(environment, ({ oneOf }) => oneOf("PATRONI_INJECTOR_ROLE", ROLES, "member"));
}

/** Of a sidecar beside PgBouncer alone. Throws one error that names every variable which is missing or not allowed. */
export const readPoolerSettings = (environment: NodeJS.ProcessEnv): CommonConfig =>
  readEnvironment(environment, commonConfig);

/** Of a sidecar beside Patroni. Throws one error that names every variable which is missing or not allowed. */
export const readSettings = (environment: NodeJS.ProcessEnv): SidecarConfig =>
  readEnvironment(environment, (reader) => {
    const { optional, required, portOf, oneOf, problem } = reader;
    const leaderObject = leaderObjectIn(optional("PATRONI_INJECTOR_LEADER_OBJECT"));
    if (leaderObject === "malformed")
      problem("PATRONI_INJECTOR_LEADER_OBJECT is not configmaps/<name> or endpoints/<name>");
    const podIP = required("POD_IP");
    return {
      ...commonConfig(reader),
      addresses: addressesIn(podIP, optional("POD_IPS")),
      postgresPort: portOf("PATRONI_INJECTOR_POSTGRES_PORT"),
      patroni: {
        scheme: oneOf("PATRONI_INJECTOR_PATRONI_SCHEME", SCHEMES, "http"),
        host: podIP,
        port: portOf("PATRONI_INJECTOR_PATRONI_PORT"),
        name: optional("PATRONI_INJECTOR_PATRONI_NAME"),
        caDir: optional("PATRONI_INJECTOR_CA_DIR"),
        clientDir: optional("PATRONI_INJECTOR_CLIENT_DIR"),
      },
      leaderObject: leaderObject === "malformed" ? undefined : leaderObject,
      discovery: optional("PATRONI_INJECTOR_DISCOVERY") !== "off",
    };
  });

function commonConfig({ optional, required, portOf, oneOf }: EnvironmentReader): CommonConfig {
  return {
    pod: {
      namespace: required("POD_NAMESPACE"),
      name: required("POD_NAME"),
      uid: required("POD_UID"),
      nodeName: optional("NODE_NAME"),
    },
    cluster: required("PATRONI_INJECTOR_CLUSTER"),
    primaryService: required("PATRONI_INJECTOR_PRIMARY_SERVICE"),
    port: portOf("PATRONI_INJECTOR_PORT"),
    tokenDir: required("PATRONI_INJECTOR_TOKEN_DIR"),
    reload:
      optional("PATRONI_INJECTOR_RELOAD") !== "off" &&
      (optional("PATRONI_INJECTOR_RELOAD_POSTGRES_VERSION") ??
        optional("PATRONI_INJECTOR_RELOAD_PGBOUNCER_VERSION")) !== undefined,
    reconnect: optional("PATRONI_INJECTOR_RELOAD_PGBOUNCER_RECONNECT") === "on",
    logLevel: oneOf("PATRONI_INJECTOR_LOG_LEVEL", LOG_LEVELS, "info"),
  };
}

/** The pod's own address is among them, whatever else the kubelet says. */
function addressesIn(podIP: string, podIPs = ""): string[] {
  const all = podIPs
    .split(",")
    .map((address) => address.trim())
    .filter((address) => address !== "");
  return all.includes(podIP) ? all : [podIP, ...all];
}

function leaderObjectIn(text: string | undefined): SidecarConfig["leaderObject"] | "malformed" {
  if (text === undefined) return undefined;
  const [kind, name, ...more] = text.split("/");
  const resource = LEADER_RESOURCES.find((candidate) => candidate === kind);
  return resource !== undefined && name && more.length === 0 ? { resource, name } : "malformed";
}
