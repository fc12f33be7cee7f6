import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { SIDECAR_CONTAINER } from "../../src/contract/names.ts";
import type { SIDECAR_SETTINGS } from "../../src/contract/sidecar-env.ts";
import { asString, at, type JsonObject, objectsIn } from "../../src/json/value.ts";
import type { KubeApi } from "../kube-api/server.ts";
import type { SimulatedMember } from "../patroni/member.ts";
import { Program } from "../program.ts";

export interface SidecarOptions {
  readonly api: KubeApi;
  readonly folder: string;
  readonly namespace: string;
  readonly scope: string;
  readonly service: string;
  readonly member: SimulatedMember;
  /** Of the pod; a pod that is made anew gets another. */
  readonly uid?: string;
  /** Whom the API server takes the sidecar for. Default: the cluster's ServiceAccount. */
  readonly user?: string;
  /** With Kubernetes as DCS. */
  readonly leaderObject?: string;
  readonly settings?: Partial<Record<keyof typeof SIDECAR_SETTINGS, string>>;
}

/** The uid that the pod of a simulated member has. */
export const uidOf = (member: SimulatedMember): string => `uid-of-${member.name}`;

/** `patroni-injector sidecar` of one member, as a process of its own with the environment that injection gives it. */
export async function startSidecar(options: SidecarOptions): Promise<Program> {
  const { api, folder, namespace, scope, service, member } = options;
  const tokenDir = join(folder, member.name);
  const user = options.user ?? `system:serviceaccount:${namespace}:${scope}`;
  await credentials(api, tokenDir, user);
  const { hostname, port } = new URL(api.url);
  return new Program(["sidecar"], {
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
    POD_NAME: member.name,
    POD_NAMESPACE: namespace,
    POD_UID: options.uid ?? uidOf(member),
    POD_IP: member.host,
    POD_IPS: member.host,
    NODE_NAME: `node-${member.name}`,
    PATRONI_INJECTOR_CLUSTER: scope,
    PATRONI_INJECTOR_PRIMARY_SERVICE: service,
    PATRONI_INJECTOR_PORT: String(await freePort()),
    PATRONI_INJECTOR_POSTGRES_PORT: String(member.ports.postgres),
    PATRONI_INJECTOR_PATRONI_PORT: String(member.ports.rest),
    PATRONI_INJECTOR_TOKEN_DIR: tokenDir,
    PATRONI_INJECTOR_LOG_LEVEL: "info",
    ...(options.leaderObject === undefined ? {} : { PATRONI_INJECTOR_LEADER_OBJECT: options.leaderObject }),
    ...options.settings,
  });
}

/** A pod as it was stored, and the simulated member that runs in it. */
export interface InjectedPod {
  readonly api: KubeApi;
  readonly folder: string;
  readonly pod: JsonObject;
  readonly member: SimulatedMember;
}

/** The sidecar that was injected into a pod, with its environment as the kubelet would make it. */
export async function startInjectedSidecar({ api, folder, pod, member }: InjectedPod): Promise<Program> {
  const container = objectsIn(at(pod, "spec", "initContainers")).find(
    ({ name }) => name === SIDECAR_CONTAINER,
  );
  const account = asString(at(pod, "spec", "serviceAccountName")) ?? "default";
  const namespace = asString(at(pod, "metadata", "namespace")) ?? "";
  await credentials(api, folder, `system:serviceaccount:${namespace}:${account}`);
  const { hostname, port } = new URL(api.url);
  const environment = Object.fromEntries(
    objectsIn(container?.env).map(({ name, value, valueFrom }) => [
      String(name),
      asString(value) ?? fieldOf(pod, member, asString(at(valueFrom ?? null, "fieldRef", "fieldPath")) ?? ""),
    ]),
  );
  return new Program(["sidecar"], {
    ...environment,
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
    // All pods of the demo share one network: the port and the folder are this machine's.
    PATRONI_INJECTOR_PORT: String(await freePort()),
    PATRONI_INJECTOR_TOKEN_DIR: folder,
  });
}

function fieldOf(pod: JsonObject, member: SimulatedMember, path: string): string {
  if (path.startsWith("status.podIP")) return member.host;
  return asString(at(pod, ...path.split("."))) ?? `node-${member.name}`;
}

async function credentials(api: KubeApi, folder: string, user: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "token"), api.tokens.issue(user));
  await writeFile(join(folder, "ca.crt"), api.caPem);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
