import { createApiClient } from "../api-client.ts";
import { type AuditLevel, createAuditLog } from "../audit-log.ts";
import { type Authority, newKeyPair } from "../authority.ts";
import { startEtcd } from "../etcd.ts";
import { type ApiServer, SERVING_HOSTS, startApiServer } from "../kube-apiserver.ts";
import { kubeconfigFor } from "../kubeconfig.ts";
import { type Run, runFile } from "../run.ts";
import { API_PORT, API_SERVICE_IP, NODE_IP } from "./addresses.ts";
import { ADMIN_KUBECONFIG } from "./state.ts";

/** Starts etcd and the API server of a cluster, and writes the administrator's kubeconfig. */
export async function startNodeApiServer(
  run: Run,
  binaries: { readonly etcd: string; readonly apiServer: string },
  authority: Authority,
  auditLevel: AuditLevel | undefined,
): Promise<ApiServer> {
  const [etcd, serviceAccountKeys, serving, kubeletClient, admin] = await Promise.all([
    startEtcd(run, binaries.etcd),
    newKeyPair(),
    authority.issueServer([...SERVING_HOSTS, NODE_IP, API_SERVICE_IP]),
    authority.issueClient("kube-apiserver", ["system:masters"]),
    authority.issueClient("admin", ["system:masters"]),
  ]);
  const audit = auditLevel && (await createAuditLog(run.folder, auditLevel));
  const furtherFlags = [
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    // Not by name, which no DNS knows: the kubelet's certificate holds its address.
    "--kubelet-preferred-address-types=InternalIP",
    `--kubelet-certificate-authority=${await runFile(run, "kubelet-ca.crt", authority.certPem)}`,
    `--kubelet-client-certificate=${await runFile(run, "kubelet-client.crt", kubeletClient.certPem)}`,
    `--kubelet-client-key=${await runFile(run, "kubelet-client.key", kubeletClient.keyPem)}`,
    ...(audit?.flags ?? []),
  ];
  const server = await startApiServer(
    run,
    binaries.apiServer,
    { bind: "0.0.0.0", advertise: NODE_IP, port: API_PORT },
    {
      etcdUrl: etcd.url,
      clientCaPem: authority.certPem,
      serving,
      serviceAccountKeys,
      users: [],
      furtherFlags,
    },
    (url) => createApiClient(url, authority.certPem, admin),
  );
  await runFile(run, ADMIN_KUBECONFIG, kubeconfigFor(server.url, authority.certPem, admin));
  return server;
}
