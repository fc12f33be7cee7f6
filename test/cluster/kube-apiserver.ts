import type { ApiClient } from "./api-client.ts";
import type { KeyedCertificate, KeyPair } from "./authority.ts";
import { type RunningProcess, untilReady } from "./processes.ts";
import { type Run, runFile } from "./run.ts";

/** A user known by a bearer token. */
export interface TokenUser {
  readonly name: string;
  readonly token: string;
  readonly groups?: readonly string[];
}

/** Where it listens, and where others find it. */
export interface ApiServerAddress {
  readonly bind: string;
  readonly advertise: string;
  readonly port: number;
}

export interface ApiServerSpec {
  readonly etcdUrl: string;
  readonly clientCaPem: string;
  /** For {@link SERVING_HOSTS} and the advertised address. */
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

/** Host names and addresses that clients may use, whatever the server's address. */
export const SERVING_HOSTS = ["127.0.0.1", "localhost", "kubernetes.default.svc"] as const;

const SERVICE_ACCOUNT_ISSUER = "https://kubernetes.default.svc.cluster.local";
const READY_WITHIN_MS = 60_000;

/**
 * Starts kube-apiserver and waits until it is ready.
 *
 * @param connect makes the client that asks for readiness, and that the result holds
 */
export async function startApiServer(
  run: Run,
  binary: string,
  address: ApiServerAddress,
  spec: ApiServerSpec,
  connect: (url: string) => ApiClient,
): Promise<ApiServer> {
  const url = `https://${address.advertise}:${address.port}`;
  const process = await run.start({
    name: "kube-apiserver",
    command: binary,
    args: [...addressFlags(address), ...(await commonFlags(run, spec)), ...spec.furtherFlags],
    stopWithinMs: 10_000,
  });
  const api = connect(url);
  const isReady = async () => (await api.request("GET", "/readyz")).status === 200;
  try {
    await untilReady(process, isReady, READY_WITHIN_MS);
    return { process, url, api };
  } catch (error) {
    api.close();
    throw error;
  }
}

function addressFlags({ bind, advertise, port }: ApiServerAddress): string[] {
  return [`--bind-address=${bind}`, `--advertise-address=${advertise}`, `--secure-port=${port}`];
}

/** Writes the files that the API server reads into the run's folder, and returns the flags that name them. */
async function commonFlags(run: Run, spec: ApiServerSpec): Promise<string[]> {
  const clientCa = await runFile(run, "ca.crt", spec.clientCaPem);
  const cert = await runFile(run, "apiserver.crt", spec.serving.certPem);
  const key = await runFile(run, "apiserver.key", spec.serving.keyPem);
  const saPublic = await runFile(run, "service-account.pub", spec.serviceAccountKeys.publicPem);
  const saPrivate = await runFile(run, "service-account.key", spec.serviceAccountKeys.privatePem);
  const tokens = await runFile(run, "tokens.csv", tokenFile(spec.users));
  return [
    `--etcd-servers=${spec.etcdUrl}`,
    `--tls-cert-file=${cert}`,
    `--tls-private-key-file=${key}`,
    `--client-ca-file=${clientCa}`,
    ...(spec.users.length > 0 ? [`--token-auth-file=${tokens}`] : []),
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
