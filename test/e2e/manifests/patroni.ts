import type { JsonObject } from "../../../src/json/value.ts";
import { entrypoint, type PatroniSettings } from "./patroni-config.ts";

/** Where Patroni keeps the leader lock. */
export type Dcs = "configmaps" | "endpoints" | "etcd";

export interface PatroniCluster extends PatroniSettings {
  readonly namespace: string;
  readonly scope: string;
  readonly image: string;
  readonly dcs: Dcs;
  /** Its pods say what Pod Security `restricted` asks for. */
  readonly restricted?: boolean;
}

export const PASSWORD = "of-the-test-only";
export const MEMBERS = 3;
export const POSTGRES_CONTAINER = "postgres";

/** What Pod Security `restricted` asks of a pod and of each container. */
export const RESTRICTED_POD = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
export const RESTRICTED_CONTAINER = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };

const labelsOf = (scope: string) => ({ application: "patroni", "cluster-name": scope });

/**
 * A Patroni cluster as its users write it, in the manner of Patroni's own example: nothing in it knows of the injector. The leader
 * Service of the example is there in Endpoints mode only, where Patroni keeps its lock in that Service's Endpoints.
 */
export function patroniObjects(cluster: PatroniCluster): JsonObject[] {
  const { namespace, scope, dcs } = cluster;
  const metadata = { name: scope, namespace, labels: labelsOf(scope) };
  const inKubernetes = dcs === "etcd" ? [] : permissions(cluster, metadata);
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    ...inKubernetes,
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata,
      stringData: { "superuser-password": PASSWORD, "replication-password": PASSWORD },
    },
    { apiVersion: "v1", kind: "ConfigMap", metadata, data: { "entrypoint.sh": entrypoint(cluster) } },
    {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata,
      spec: {
        replicas: MEMBERS,
        serviceName: scope,
        podManagementPolicy: "Parallel",
        selector: { matchLabels: labelsOf(scope) },
        template: { metadata: { labels: labelsOf(scope) }, spec: podSpec(cluster) },
      },
    },
  ];
}

/** What Patroni's documentation asks for, in the mode at hand. */
function permissions({ dcs, scope, namespace }: PatroniCluster, metadata: JsonObject): JsonObject[] {
  const verbs = ["create", "get", "list", "patch", "update", "watch", "delete", "deletecollection"];
  const leaderService: JsonObject = {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: { type: "ClusterIP", ports: [{ name: "postgresql", port: 5432, targetPort: 5432 }] },
  };
  return [
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata,
      rules: [
        { apiGroups: [""], resources: [dcs], verbs },
        { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "patch", "update", "watch"] },
        { apiGroups: [""], resources: ["services"], verbs: ["create"] },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: scope },
      subjects: [{ kind: "ServiceAccount", name: scope, namespace }],
    },
    ...(dcs === "endpoints" ? [leaderService] : []),
  ];
}

function podSpec(cluster: PatroniCluster): JsonObject {
  const { scope, image, restricted = false } = cluster;
  const secret = (name: string, key: string): JsonObject => ({
    name,
    valueFrom: { secretKeyRef: { name: scope, key } },
  });
  const field = (name: string, fieldPath: string): JsonObject => ({
    name,
    valueFrom: { fieldRef: { fieldPath } },
  });
  return {
    serviceAccountName: scope,
    securityContext: {
      ...{ runAsUser: 999, runAsGroup: 999, fsGroup: 999 },
      ...(restricted ? RESTRICTED_POD : {}),
    },
    containers: [
      {
        name: POSTGRES_CONTAINER,
        image,
        imagePullPolicy: "IfNotPresent",
        ...(restricted ? { securityContext: RESTRICTED_CONTAINER } : {}),
        command: ["/bin/sh", "/etc/patroni/entrypoint.sh"],
        env: [
          field("PATRONI_NAME", "metadata.name"),
          { name: "PATRONI_SCOPE", value: scope },
          field("PATRONI_KUBERNETES_POD_IP", "status.podIP"),
          ...dcsEnv(cluster, field),
          { name: "PATRONI_SUPERUSER_USERNAME", value: "postgres" },
          secret("PATRONI_SUPERUSER_PASSWORD", "superuser-password"),
          { name: "PATRONI_REPLICATION_USERNAME", value: "standby" },
          secret("PATRONI_REPLICATION_PASSWORD", "replication-password"),
        ],
        ports: [{ containerPort: 5432 }, { containerPort: 8008 }],
        readinessProbe: {
          httpGet: { path: "/readiness", port: 8008 },
          periodSeconds: 2,
          failureThreshold: 3,
        },
        resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "512Mi" } },
        volumeMounts: [
          { name: "data", mountPath: "/home/postgres/data" },
          { name: "config", mountPath: "/etc/patroni" },
        ],
      },
    ],
    volumes: [
      { name: "data", emptyDir: {} },
      { name: "config", configMap: { name: scope } },
    ],
  };
}

function dcsEnv(
  { dcs, scope }: PatroniCluster,
  field: (name: string, fieldPath: string) => JsonObject,
): JsonObject[] {
  if (dcs === "etcd") return [{ name: "PATRONI_ETCD3_HOSTS", value: "etcd:2379" }];
  return [
    field("PATRONI_KUBERNETES_NAMESPACE", "metadata.namespace"),
    { name: "PATRONI_KUBERNETES_LABELS", value: `{application: patroni, cluster-name: ${scope}}` },
    { name: "PATRONI_KUBERNETES_SCOPE_LABEL", value: "cluster-name" },
    ...(dcs === "endpoints" ? [{ name: "PATRONI_KUBERNETES_USE_ENDPOINTS", value: "true" }] : []),
  ];
}
