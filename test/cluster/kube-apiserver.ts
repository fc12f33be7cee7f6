import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ApiClient } from "./api-client.ts";
import type { KeyedCertificate, KeyPair } from "./authority.ts";
import { freePort } from "./ports.ts";
import { type RunningProcess, untilReady } from "./processes.ts";
import type { Run } from "./run.ts";

/** A user known by a bearer token. */
export interface TokenUser {
  readonly name: string;
  readonly token: string;
  readonly groups?: readonly string[];
}

export interface ApiServerSpec {
  readonly etcdUrl: string;
  readonly clientCaPem: string;
  /** For {@link SERVING_HOSTS}. */
  readonly serving: KeyedCertificate;
  readonly serviceAccountKeys: KeyPair;
  readonly users: readonly TokenUser[];
  readonly furtherFlags: readonly string[];
}

export interface ApiServer {
  readonly process: RunningProcess;
  readonly url: string;
  readonly api: ApiClient;
}

/** Host names and addresses that clients may use. */
export const SERVING_HOSTS = ["127.0.0.1", "localhost", "kubernetes.default.svc"] as const;

const SERVICE_ACCOUNT_ISSUER = "https://kubernetes.default.svc.cluster.local";
const READY_WITHIN_MS = 60_000;
const PORT_ATTEMPTS = 3;

/**
 * Starts kube-apiserver on a free port of 127.0.0.1 and waits until it is ready.
 *
 * @param connect makes the client that asks for readiness, and that the result holds
 */
export async function startApiServer(
  run: Run,
  binary: string,
  spec: ApiServerSpec,
  connect: (url: string) => ApiClient,
): Promise<ApiServer> {
  const flags = await commonFlags(run, spec);
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const url = `https://127.0.0.1:${port}`;
    const process = await run.start({
      name: "kube-apiserver",
      command: binary,
      args: [...flags, `--secure-port=${port}`, ...spec.furtherFlags],
      stopWithinMs: 10_000,
    });
    const api = connect(url);
    try {
      await untilReady(
        process,
        async () => (await api.request("GET", "/readyz")).status === 200,
        READY_WITHIN_MS,
      );
      return { process, url, api };
    } catch (error) {
      api.close();
      const lostItsPort = /address already in use/.test((error as Error).message);
      if (!lostItsPort || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

/** Writes the files that the API server reads into the run's folder, and returns the flags that do not depend on its port. */
async function commonFlags(run: Run, spec: ApiServerSpec): Promise<string[]> {
  const file = async (name: string, content: string) => {
    const path = join(run.folder, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  };
  const clientCa = await file("ca.crt", spec.clientCaPem);
  const cert = await file("apiserver.crt", spec.serving.certPem);
  const key = await file("apiserver.key", spec.serving.keyPem);
  const saPublic = await file("service-account.pub", spec.serviceAccountKeys.publicPem);
  const saPrivate = await file("service-account.key", spec.serviceAccountKeys.privatePem);
  const tokens = await file("tokens.csv", tokenFile(spec.users));
  return [
    `--etcd-servers=${spec.etcdUrl}`,
    "--bind-address=127.0.0.1",
    // Without an address it looks for a default route; a loopback one is refused in Endpoints, so none are written.
    "--advertise-address=127.0.0.1",
    "--endpoint-reconciler-type=none",
    `--tls-cert-file=${cert}`,
    `--tls-private-key-file=${key}`,
    `--client-ca-file=${clientCa}`,
    ...(spec.users.length > 0 ? [`--token-auth-file=${tokens}`] : []),
    "--authorization-mode=RBAC",
    "--allow-privileged=true",
    "--service-cluster-ip-range=10.96.0.0/16",
    `--service-account-issuer=${SERVICE_ACCOUNT_ISSUER}`,
    `--service-account-key-file=${saPublic}`,
    `--service-account-signing-key-file=${saPrivate}`,
  ];
}

/** Columns: token, user, uid, groups (quoted, comma-separated). */
function tokenFile(users: readonly TokenUser[]): string {
  return users
    .map(({ token, name, groups = [] }) => `${token},${name},${name},"${groups.join(",")}"\n`)
    .join("");
}
