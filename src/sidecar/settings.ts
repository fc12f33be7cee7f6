import { isIPv6 } from "node:net";
import type { SIDECAR_ENV, SidecarSetting } from "../contract/sidecar-env.ts";
import { port } from "../contract/syntax.ts";
import type { PodIdentity } from "../primary/slice.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** What the sidecar was told by its environment (contract/sidecar-env.ts). */
export interface SidecarConfig {
  readonly pod: Omit<PodIdentity, "address">;
  /** All addresses of the pod, the first family's first. */
  readonly addresses: readonly string[];
  readonly cluster: string;
  readonly primaryService: string;
  readonly port: number;
  readonly postgresPort: number;
  readonly patroni: {
    readonly scheme: "http" | "https";
    readonly host: string;
    readonly port: number;
    /** The name that its certificate must carry. */
    readonly name: string | undefined;
    readonly caDir: string | undefined;
    readonly clientDir: string | undefined;
  };
  readonly tokenDir: string;
  readonly leaderObject: { readonly resource: "configmaps" | "endpoints"; readonly name: string } | undefined;
  readonly discovery: boolean;
  readonly logLevel: LogLevel;
}

type Variable = keyof typeof SIDECAR_ENV | SidecarSetting;

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
  const scheme = optional("PATRONI_INJECTOR_PATRONI_SCHEME") ?? "http";
  if (scheme !== "http" && scheme !== "https")
    problems.push("PATRONI_INJECTOR_PATRONI_SCHEME is not http or https");
  const podIP = required("POD_IP");
  const config: SidecarConfig = {
    pod: {
      namespace: required("POD_NAMESPACE"),
      name: required("POD_NAME"),
      uid: required("POD_UID"),
      nodeName: optional("NODE_NAME"),
    },
    addresses: (optional("POD_IPS") ?? podIP).split(","),
    cluster: required("PATRONI_INJECTOR_CLUSTER"),
    primaryService: required("PATRONI_INJECTOR_PRIMARY_SERVICE"),
    port: portOf("PATRONI_INJECTOR_PORT"),
    postgresPort: portOf("PATRONI_INJECTOR_POSTGRES_PORT"),
    patroni: {
      scheme: scheme === "https" ? "https" : "http",
      host: podIP,
      port: portOf("PATRONI_INJECTOR_PATRONI_PORT"),
      name: optional("PATRONI_INJECTOR_PATRONI_NAME"),
      caDir: optional("PATRONI_INJECTOR_CA_DIR"),
      clientDir: optional("PATRONI_INJECTOR_CLIENT_DIR"),
    },
    tokenDir: required("PATRONI_INJECTOR_TOKEN_DIR"),
    leaderObject: leaderObjectIn(optional("PATRONI_INJECTOR_LEADER_OBJECT")),
    discovery: optional("PATRONI_INJECTOR_DISCOVERY") !== "off",
    logLevel: (optional("PATRONI_INJECTOR_LOG_LEVEL") ?? "info") as LogLevel,
  };
  if (problems.length > 0) throw new Error(problems.join("; "));
  return config;
}

/** The pod's address in the family of the slice; undefined where the pod has none. */
export function addressOf(config: SidecarConfig, addressType: string): string | undefined {
  return config.addresses.find((address) => isIPv6(address) === (addressType === "IPv6"));
}

function leaderObjectIn(text: string | undefined): SidecarConfig["leaderObject"] {
  const [resource, name] = (text ?? "").split("/");
  return (resource === "configmaps" || resource === "endpoints") && name ? { resource, name } : undefined;
}
