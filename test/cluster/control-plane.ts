import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { JsonObject } from "../../src/json/value.ts";
import { type ApiClient, createApiClient } from "./api-client.ts";
import { type AuditLevel, createAuditLog } from "./audit-log.ts";
import { type Authority, type KeyedCertificate, newAuthority, newKeyPair } from "./authority.ts";
import { ensureBinaries } from "./build.ts";
import { startEtcd } from "./etcd.ts";
import {
  type ApiServer,
  type ApiServerSpec,
  SERVING_HOSTS,
  startApiServer,
  type TokenUser,
} from "./kube-apiserver.ts";
import { kubeconfigFor } from "./kubeconfig.ts";
import { freePort } from "./ports.ts";
import { beginRun, type OwnedRun, type Run } from "./run.ts";

export interface ControlPlaneOptions {
  /** Keep an audit log. */
  readonly audit?: AuditLevel;
  /** Users beside the admin, known by bearer tokens; they may do nothing until RBAC objects say so. */
  readonly users?: readonly TokenUser[];
  /** Further flags of kube-apiserver. */
  readonly apiServerFlags?: readonly string[];
}

/** A running etcd and kube-apiserver: no controllers, no nodes, so a pod that is created stays as it is. */
export interface ControlPlane {
  /** `https://127.0.0.1:<port>` */
  readonly url: string;
  readonly caPem: string;
  /** Issues client certificates for other users, and serving certificates for webhooks. */
  readonly authority: Authority;
  /** Member of system:masters: RBAC does not bind it. */
  readonly admin: KeyedCertificate;
  readonly kubeconfig: { readonly path: string; readonly text: string };
  /** Asks as the admin. */
  readonly api: ApiClient;
  readonly logs: { readonly etcd: string; readonly apiServer: string };
  /** The audit events so far; rejects where no audit log is kept. */
  auditEvents(): Promise<JsonObject[]>;
  /** Ends the processes and removes all files. */
  stop(): Promise<void>;
}

const LOOPBACK_FLAGS = [
  "--authorization-mode=RBAC",
  // An address of loopback is refused in Endpoints: so none are written.
  "--endpoint-reconciler-type=none",
];
const PORT_ATTEMPTS = 3;

/**
 * Builds what is missing and starts a control plane on the loopback interface. Needs no privilege.
 *
 * @throws BuildError where a binary cannot be built; Error with the end of the log where a process does not start
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = await ensureBinaries(["etcd", "kube-apiserver"]);
  const run = await beginRun("patroni-injector-cluster-");
  try {
    return await startIn(run, binaries, options);
  } catch (error) {
    await run.end();
    throw error;
  }
}

async function startIn(
  run: OwnedRun,
  binaries: Readonly<Record<"etcd" | "kube-apiserver", string>>,
  options: ControlPlaneOptions,
): Promise<ControlPlane> {
  const [etcd, authority, serviceAccountKeys] = await Promise.all([
    startEtcd(run, binaries.etcd),
    newAuthority("test cluster"),
    newKeyPair(),
  ]);
  const [serving, admin] = await Promise.all([
    authority.issueServer(SERVING_HOSTS),
    authority.issueClient("admin", ["system:masters"]),
  ]);
  const audit = options.audit && (await createAuditLog(run.folder, options.audit));
  const spec: ApiServerSpec = {
    etcdUrl: etcd.url,
    clientCaPem: authority.certPem,
    serving,
    serviceAccountKeys,
    users: options.users ?? [],
    furtherFlags: [...LOOPBACK_FLAGS, ...(audit?.flags ?? []), ...(options.apiServerFlags ?? [])],
  };
  const connect = (url: string) => createApiClient(url, authority.certPem, admin);
  const server = await startOnFreePort(run, binaries["kube-apiserver"], spec, connect);

  const kubeconfig = {
    path: join(run.folder, "admin.kubeconfig"),
    text: kubeconfigFor(server.url, authority.certPem, admin),
  };
  await writeFile(kubeconfig.path, kubeconfig.text, { mode: 0o600 });
  return {
    url: server.url,
    caPem: authority.certPem,
    authority,
    admin,
    kubeconfig,
    api: server.api,
    logs: { etcd: etcd.process.logFile, apiServer: server.process.logFile },
    async auditEvents() {
      if (audit === undefined) throw new Error("the control plane was started without an audit log");
      return audit.events();
    },
    async stop() {
      server.api.close();
      await run.end();
    },
  };
}

async function startOnFreePort(
  run: Run,
  binary: string,
  spec: ApiServerSpec,
  connect: (url: string) => ApiClient,
): Promise<ApiServer> {
  for (let attempt = 1; ; attempt++) {
    const address = { bind: "127.0.0.1", advertise: "127.0.0.1", port: await freePort() };
    try {
      return await startApiServer(run, binary, address, spec, connect);
    } catch (error) {
      const lostItsPort = /address already in use/.test((error as Error).message);
      if (!lostItsPort || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}
