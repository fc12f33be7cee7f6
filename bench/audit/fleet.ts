import { forEach } from "../../src/audit/collect/pool.ts";
import { asObject, at, type JsonObject } from "../../src/json/value.ts";
import type { KubeConnection } from "../../src/kube/connection.ts";
import { patroniPod } from "../webhook/pod.ts";

const POD_BYTES = 10_000;
const MEMBERS = [0, 1, 2];
const CLUSTERS_PER_NAMESPACE = 10;

/** As an operator names the one cluster of {@link patroniPod}. */
const SAMPLE = "acid-orders";
const LABELS = (scope: string) => ({ application: "spilo", "cluster-name": scope });

/**
 * Clusters of three members with all that an operator keeps of each: pods and StatefulSets of the size of real ones, Services, what
 * leads them, Patroni's ConfigMaps, a budget and a policy. 13 objects a cluster.
 */
export async function makeWholeFleet(api: KubeConnection, clusters: number): Promise<void> {
  const create = (path: string, body: JsonObject) => api.send({ method: "POST", path, body });
  const namespaces = Math.ceil(clusters / CLUSTERS_PER_NAMESPACE);
  const labels = { "patroni-injector.io/injection": "enabled" };
  for (let index = 0; index < namespaces; index++)
    await create("/api/v1/namespaces", { metadata: { name: `ns-${index}`, labels } });
  const sample = JSON.stringify(patroniPod(POD_BYTES));
  await forEach(
    Array.from({ length: clusters }, (_, index) => index),
    async (index) => {
      const scope = `pg-${index}`;
      const pod = JSON.parse(sample.replaceAll(SAMPLE, scope)) as JsonObject;
      for (const [prefix, plural, object] of objectsOf(scope, pod))
        await create(`${prefix}/namespaces/ns-${index % namespaces}/${plural}`, object);
      for (const ordinal of MEMBERS)
        await api.send({
          method: "PATCH",
          path: `/api/v1/namespaces/ns-${index % namespaces}/pods/${scope}-${ordinal}/status`,
          contentType: "application/merge-patch+json",
          body: { status: statusOf(ordinal) },
        });
    },
  );
}

type Placed = readonly [prefix: string, plural: string, object: JsonObject];

function objectsOf(scope: string, pod: JsonObject): Placed[] {
  const labels = LABELS(scope);
  const named = (name: string, rest: JsonObject = {}): JsonObject => ({
    metadata: { name, labels },
    ...rest,
  });
  const service = (name: string, spec: JsonObject): Placed => ["/api/v1", "services", named(name, { spec })];
  const ports = [{ name: "postgresql", port: 5432 }];
  const subsets = [{ addresses: [{ ip: "10.0.0.1" }], ports }];
  return [
    ...MEMBERS.map((ordinal): Placed => ["/api/v1", "pods", memberOf(pod, scope, ordinal)]),
    ["/apis/apps/v1", "statefulsets", named(scope, { spec: statefulSetSpec(pod, scope) })],
    service(scope, { clusterIP: "10.0.1.1", ports }),
    service(`${scope}-repl`, { clusterIP: "10.0.1.2", selector: { ...labels, role: "replica" }, ports }),
    service(`${scope}-config`, { clusterIP: "None" }),
    ["/api/v1", "endpoints", named(scope, { subsets })],
    ["/api/v1", "endpoints", named(`${scope}-repl`, { subsets })],
    ["/apis/discovery.k8s.io/v1", "endpointslices", named(`${scope}-x`, slice(scope))],
    ["/apis/discovery.k8s.io/v1", "endpointslices", named(`${scope}-repl-x`, slice(`${scope}-repl`))],
    ...["leader", "config", "failover"].map(
      (name): Placed => ["/api/v1", "configmaps", named(`${scope}-${name}`)],
    ),
    [
      "/apis/policy/v1",
      "poddisruptionbudgets",
      named(scope, { spec: { minAvailable: 1, selector: { matchLabels: { ...labels, role: "master" } } } }),
    ],
    [
      "/apis/networking.k8s.io/v1",
      "networkpolicies",
      named(scope, {
        spec: { podSelector: { matchLabels: labels }, policyTypes: ["Ingress"], ingress: [{ ports: [] }] },
      }),
    ],
  ];
}

const slice = (service: string): JsonObject => ({
  metadata: { name: `${service}-x`, labels: { "kubernetes.io/service-name": service } },
  addressType: "IPv4",
  endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready: true } }],
  ports: [{ name: "postgresql", port: 5432, protocol: "TCP" }],
});

function statefulSetSpec(pod: JsonObject, scope: string): JsonObject {
  const { labels, annotations } = asObject(pod.metadata) ?? {};
  return {
    replicas: 3,
    serviceName: scope,
    selector: { matchLabels: LABELS(scope) },
    template: { metadata: { labels, annotations }, spec: pod.spec },
    volumeClaimTemplates: [{ metadata: { name: "pgdata" }, spec: { accessModes: ["ReadWriteOnce"] } }],
  };
}

function memberOf(pod: JsonObject, scope: string, ordinal: number): JsonObject {
  const { metadata, spec } = JSON.parse(
    JSON.stringify(pod).replaceAll(`${scope}-0`, `${scope}-${ordinal}`),
  ) as JsonObject;
  const leads = ordinal === 0;
  const status = JSON.stringify({
    conn_url: `postgres://10.1.0.${ordinal}:5432/postgres`,
    role: leads ? "primary" : "replica",
    state: "running",
    version: "4.1.0",
    timeline: 1,
    ...(leads ? {} : { replication_state: "streaming" }),
  });
  const { namespace: _namespace, generateName: _generateName, ...rest } = asObject(metadata) ?? {};
  return {
    metadata: { ...rest, annotations: { ...asObject(at(metadata, "annotations")), status } },
    spec: { ...asObject(spec), nodeName: `node-${ordinal}` },
  };
}

const statusOf = (ordinal: number): JsonObject => {
  const ip = `10.1.0.${ordinal}`;
  return { phase: "Running", podIP: ip, podIPs: [{ ip }] };
};
