import type { ApiRequest } from "../api-client.ts";
import { createObject } from "../create-object.ts";
import { type RunningProcess, untilReady } from "../processes.ts";
import { type Run, runFile } from "../run.ts";
import { CLUSTER_DOMAIN, DNS_SERVICE_IP, NODE_IP } from "./addresses.ts";
import { httpOk } from "./http-ok.ts";

const READY_PORT = 8181;
const READY_WITHIN_MS = 30_000;

/** Serves the cluster's names on the node's address, with the settings that kubeadm gives it, and no other name. */
export async function startCoreDns(
  run: Run,
  binary: string,
  kubeconfig: string,
  request: ApiRequest,
): Promise<RunningProcess> {
  for (const { path, object } of OBJECTS) await createObject(request, path, object);
  const config = await runFile(run, "Corefile", corefile(kubeconfig));
  const process = await run.start({
    name: "coredns",
    command: binary,
    args: [`-conf=${config}`],
    stopWithinMs: 5_000,
  });
  await untilReady(process, () => httpOk(`http://127.0.0.1:${READY_PORT}/ready`), READY_WITHIN_MS);
  return process;
}

const corefile = (kubeconfig: string) => `. {
  bind ${NODE_IP}
  errors
  ready 127.0.0.1:${READY_PORT}
  kubernetes ${CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {
    kubeconfig ${kubeconfig}
    pods insecure
    ttl 30
  }
  cache 30
  loadbalance
}
`;

const NAMED = { name: "kube-dns", namespace: "kube-system" };

/** What CoreDNS may read, and the Service that pods have in their resolv.conf. */
const OBJECTS = [
  {
    path: "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    object: {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "system:coredns" },
      rules: [
        { apiGroups: [""], resources: ["services", "pods", "namespaces"], verbs: ["list", "watch"] },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
      ],
    },
  },
  {
    path: "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    object: {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "system:coredns" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:coredns" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "system:coredns" }],
    },
  },
  {
    path: "/api/v1/namespaces/kube-system/services",
    object: {
      apiVersion: "v1",
      kind: "Service",
      metadata: NAMED,
      spec: {
        clusterIP: DNS_SERVICE_IP,
        ports: [
          { name: "dns", port: 53, protocol: "UDP" },
          { name: "dns-tcp", port: 53, protocol: "TCP" },
        ],
      },
    },
  },
  {
    path: "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices",
    object: {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...NAMED, labels: { "kubernetes.io/service-name": NAMED.name } },
      addressType: "IPv4",
      endpoints: [{ addresses: [NODE_IP] }],
      ports: [
        { name: "dns", port: 53, protocol: "UDP" },
        { name: "dns-tcp", port: 53, protocol: "TCP" },
      ],
    },
  },
];
