import type { ReloadSetting } from "../contract/reload-env.ts";
import type { SIDECAR_ENV, SidecarSetting } from "../contract/sidecar-env.ts";
import { port } from "../contract/syntax.ts";
import type { PodIdentity } from "../primary/slice.ts";

const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const SCHEMES = ["http", "https"] as const;
const LEADER_RESOURCES = ["configmaps", "endpoints"] as const;

/** What the sidecar was told by its environment (contract/sidecar-env.ts). */
export interface SidecarConfig {
  readonly pod: Omit<PodIdentity, "address">;
  /** All addresses of the pod, of one family or both, in the kubelet's order. */
  readonly addresses: readonly string[];
  readonly cluster: string;
  readonly primaryService: string;
  readonly port: number;
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
  readonly tokenDir: string;
  readonly leaderObject:
    | { readonly resource: (typeof LEADER_RESOURCES)[number]; readonly name: string }
    | undefined;
  readonly discovery: boolean;
  /** An annotation asks for the reload API. */
  readonly reload: boolean;
  readonly logLevel: LogLevel;
}

type Variable = keyof typeof SIDECAR_ENV | SidecarSetting | ReloadSetting;

/** Reads the environment. Throws one error that names every variable which is missing or not allowed. */
export function readSettings(environment: NodeJS.ProcessEnv): SidecarConfig {
  const problems: string[] = [];
  const optional = (name: Variable): string | undefined => environment[name] || undefined;
  const required = (name: Variable): string => {
    const value = optional(name);
    if (value === undefined) problems.push(`${name} is not set`);
    return value ?? "";
  };
  const portOf = (name: Variable): number => {
    const value = port.read(required(name));
    if (value === undefined && optional(name) !== undefined) problems.push(`${name} is not ${port.allowed}`);
    return value ?? 0;
  };
  const oneOf = <Word extends string>(name: Variable, words: readonly [Word, ...Word[]], otherwise: Word) => {
    const value = optional(name) ?? otherwise;
    const word = words.find((candidate) => candidate === value);
    if (word === undefined) problems.push(`${name} is not one of ${words.join(", ")}`);
    return word ?? otherwise;
  };
  const leaderObject = leaderObjectIn(optional("PATRONI_INJECTOR_LEADER_OBJECT"));
  if (leaderObject === "malformed")
    problems.push("PATRONI_INJECTOR_LEADER_OBJECT is not configmaps/<name> or endpoints/<name>");
  const podIP = required("POD_IP");
  const config: SidecarConfig = {
    pod: {
      namespace: required("POD_NAMESPACE"),
      name: required("POD_NAME"),
      uid: required("POD_UID"),
      nodeName: optional("NODE_NAME"),
    },
    addresses: addressesIn(podIP, optional("POD_IPS")),
    cluster: required("PATRONI_INJECTOR_CLUSTER"),
    primaryService: required("PATRONI_INJECTOR_PRIMARY_SERVICE"),
    port: portOf("PATRONI_INJECTOR_PORT"),
    postgresPort: portOf("PATRONI_INJECTOR_POSTGRES_PORT"),
    patroni: {
      scheme: oneOf("PATRONI_INJECTOR_PATRONI_SCHEME", SCHEMES, "http"),
      host: podIP,
      port: portOf("PATRONI_INJECTOR_PATRONI_PORT"),
      name: optional("PATRONI_INJECTOR_PATRONI_NAME"),
      caDir: optional("PATRONI_INJECTOR_CA_DIR"),
      clientDir: optional("PATRONI_INJECTOR_CLIENT_DIR"),
    },
    tokenDir: required("PATRONI_INJECTOR_TOKEN_DIR"),
    leaderObject: leaderObject === "malformed" ? undefined : leaderObject,
    discovery: optional("PATRONI_INJECTOR_DISCOVERY") !== "off",
    reload:
      optional("PATRONI_INJECTOR_RELOAD") !== "off" &&
      (optional("PATRONI_INJECTOR_RELOAD_POSTGRES_VERSION") ??
        optional("PATRONI_INJECTOR_RELOAD_PGBOUNCER_VERSION")) !== undefined,
    logLevel: oneOf("PATRONI_INJECTOR_LOG_LEVEL", LOG_LEVELS, "info"),
  };
  if (problems.length > 0) throw new Error(problems.join("; "));
  return config;
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
