import type { Json, JsonObject } from "../../src/json/value.ts";
import {
  antiAffinity,
  apiAccessMount,
  apiAccessVolume,
  containerDefaults,
  fromField,
  fromSecret,
  literal,
  managedFields,
  spiloConfiguration,
} from "./pod-parts.ts";

const CLUSTER = "acid-orders";

/** Of what a pod has more than the smallest one: the rest is text, which is parsed as well, but never walked. */
const STRUCTURE_SHARE = 2 / 3;

/**
 * A pod of exactly `bytes` bytes of JSON, in the shape of those that a Postgres operator makes with Spilo: the same
 * variables, configuration text, volumes and defaults. A larger pod has more of what large pods really have more of:
 * variables of the backup tool, and a long annotation.
 *
 * @throws RangeError where not even the smallest such pod is that small
 */
export function patroniPod(bytes: number): JsonObject {
  const smallest = sizeOf(podWith([], ""));
  if (smallest > bytes) throw new RangeError(`the smallest pod has ${smallest} bytes`);
  const variables = backupVariables((bytes - smallest) * STRUCTURE_SHARE);
  const missing = bytes - sizeOf(podWith(variables, ""));
  return podWith(variables, "Restore from the newest backup. ".repeat(missing / 32 + 1).slice(0, missing));
}

const sizeOf = (value: Json): number => Buffer.byteLength(JSON.stringify(value));

/** As many as fit into `bytes` with their commas; every third comes from a Secret. */
function backupVariables(bytes: number): JsonObject[] {
  const variables: JsonObject[] = [];
  for (let room = bytes; ; ) {
    const variable = backupVariable(variables.length);
    room -= sizeOf(variable) + 1;
    if (room < 0) return variables;
    variables.push(variable);
  }
}

function backupVariable(index: number): JsonObject {
  const name = `WALG_SETTING_${String(index).padStart(3, "0")}`;
  return index % 3 === 0
    ? fromSecret(name, "backup-credentials", `setting-${index}`)
    : literal(name, `s3://backups.example.com/spilo/${CLUSTER}/wal/17/${index}`);
}

function podWith(variables: readonly JsonObject[], runbook: string): JsonObject {
  return {
    kind: "Pod",
    apiVersion: "v1",
    metadata: {
      name: `${CLUSTER}-0`,
      generateName: `${CLUSTER}-`,
      namespace: "databases",
      labels: {
        application: "spilo",
        "apps.kubernetes.io/pod-index": "0",
        "cluster-name": CLUSTER,
        "controller-revision-hash": `${CLUSTER}-7d4f9b6c8`,
        "statefulset.kubernetes.io/pod-name": `${CLUSTER}-0`,
        team: "acid",
      },
      annotations: {
        "prometheus.io/path": "/metrics",
        "prometheus.io/port": "9187",
        "prometheus.io/scrape": "true",
        "example.com/runbook": runbook,
      },
      ownerReferences: [
        {
          apiVersion: "apps/v1",
          kind: "StatefulSet",
          name: CLUSTER,
          uid: "5a1c6f0e-33f5-4a0b-9a33-2f5f7d9a1b11",
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      managedFields: [managedFields()],
    },
    spec: {
      volumes: [
        { name: "pgdata", persistentVolumeClaim: { claimName: `pgdata-${CLUSTER}-0` } },
        { name: "dshm", emptyDir: { medium: "Memory" } },
        apiAccessVolume(),
      ],
      containers: [postgres(variables), exporter()],
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 300,
      dnsPolicy: "ClusterFirst",
      serviceAccountName: "postgres-pod",
      serviceAccount: "postgres-pod",
      securityContext: { runAsUser: 101, runAsGroup: 103, fsGroup: 103 },
      hostname: `${CLUSTER}-0`,
      subdomain: CLUSTER,
      affinity: antiAffinity(CLUSTER),
      schedulerName: "default-scheduler",
      tolerations: ["not-ready", "unreachable"].map((condition) => ({
        key: `node.kubernetes.io/${condition}`,
        operator: "Exists",
        effect: "NoExecute",
        tolerationSeconds: 300,
      })),
      priority: 0,
      enableServiceLinks: true,
      preemptionPolicy: "PreemptLowerPriority",
    },
    status: {},
  };
}

function postgres(variables: readonly JsonObject[]): JsonObject {
  const env = [
    literal("SCOPE", CLUSTER),
    literal("PGROOT", "/home/postgres/pgdata/pgroot"),
    fromField("POD_IP", "status.podIP"),
    fromField("POD_NAMESPACE", "metadata.namespace"),
    literal("PGUSER_SUPERUSER", "postgres"),
    literal("KUBERNETES_SCOPE_LABEL", "cluster-name"),
    literal("KUBERNETES_ROLE_LABEL", "spilo-role"),
    fromSecret("PGPASSWORD_SUPERUSER", `postgres.${CLUSTER}.credentials`, "password"),
    literal("PGUSER_STANDBY", "standby"),
    fromSecret("PGPASSWORD_STANDBY", `standby.${CLUSTER}.credentials`, "password"),
    literal("PAM_OAUTH2", "https://info.example.com/oauth2/tokeninfo?access_token= uid realm=/employees"),
    literal("HUMAN_ROLE", "zalandos"),
    literal("SPILO_CONFIGURATION", JSON.stringify(spiloConfiguration())),
    literal("DCS_ENABLE_KUBERNETES_API", "true"),
    literal("KUBERNETES_LABELS", JSON.stringify({ application: "spilo" })),
    ...variables,
  ];
  const port = (containerPort: number) => ({ containerPort, protocol: "TCP" });
  return {
    name: "postgres",
    image: "registry.example.com/acid/spilo-17:4.0-p3",
    ports: [port(8008), port(5432), port(8080)],
    env,
    resources: { limits: { cpu: "1", memory: "2Gi" }, requests: { cpu: "250m", memory: "1Gi" } },
    volumeMounts: [
      { name: "pgdata", mountPath: "/home/postgres/pgdata" },
      { name: "dshm", mountPath: "/dev/shm" },
      apiAccessMount(),
    ],
    readinessProbe: {
      httpGet: { path: "/readiness", port: 8008, scheme: "HTTP" },
      initialDelaySeconds: 6,
      timeoutSeconds: 5,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    },
    ...containerDefaults(),
    securityContext: { privileged: false, readOnlyRootFilesystem: false, allowPrivilegeEscalation: true },
  };
}

function exporter(): JsonObject {
  return {
    name: "exporter",
    image: "registry.example.com/acid/postgres-exporter:0.17.1",
    ports: [{ name: "metrics", containerPort: 9187, protocol: "TCP" }],
    env: [
      literal("DATA_SOURCE_URI", "localhost:5432/postgres?sslmode=require"),
      literal("DATA_SOURCE_USER", "postgres"),
      fromSecret("DATA_SOURCE_PASS", `postgres.${CLUSTER}.credentials`, "password"),
    ],
    resources: { limits: { cpu: "200m", memory: "128Mi" }, requests: { cpu: "50m", memory: "64Mi" } },
    volumeMounts: [apiAccessMount()],
    ...containerDefaults(),
  };
}
