import type { JsonObject } from "../../src/json/value.ts";

/** The larger pieces of a Spilo pod, each as the operator or the API server writes it. */
export function spiloConfiguration(): JsonObject {
  return {
    postgresql: {
      bin_dir: "/usr/lib/postgresql/17/bin",
      parameters: {
        shared_buffers: "512MB",
        work_mem: "16MB",
        log_statement: "ddl",
        max_locks_per_transaction: "128",
      },
      pg_hba: [
        "local all all trust",
        "hostssl all +zalandos 127.0.0.1/32 pam",
        "host all all 127.0.0.1/32 md5",
        "hostssl replication standby all md5",
        "hostnossl all all all reject",
        "hostssl all all all md5",
      ],
    },
    bootstrap: {
      initdb: [{ "auth-host": "md5" }, { "auth-local": "trust" }, "data-checksums", { encoding: "UTF8" }],
      dcs: {
        ttl: 30,
        loop_wait: 10,
        retry_timeout: 10,
        maximum_lag_on_failover: 33_554_432,
        postgresql: { parameters: { max_connections: "200", wal_keep_size: "1GB" } },
      },
    },
  };
}

export function antiAffinity(cluster: string): JsonObject {
  const term = {
    labelSelector: { matchLabels: { application: "spilo", "cluster-name": cluster } },
    topologyKey: "kubernetes.io/hostname",
  };
  return { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
}

/** As the API server notes who set what. */
export function managedFields(): JsonObject {
  const labels = ["application", "cluster-name", "controller-revision-hash", "team"];
  return {
    manager: "kube-controller-manager",
    operation: "Update",
    apiVersion: "v1",
    time: "2026-01-07T09:12:44Z",
    fieldsType: "FieldsV1",
    fieldsV1: {
      "f:metadata": {
        "f:annotations": {
          ".": {},
          "f:prometheus.io/path": {},
          "f:prometheus.io/port": {},
          "f:prometheus.io/scrape": {},
        },
        "f:generateName": {},
        "f:labels": { ".": {}, ...Object.fromEntries(labels.map((name) => [`f:${name}`, {}])) },
        "f:ownerReferences": { ".": {}, 'k:{"uid":"5a1c6f0e-33f5-4a0b-9a33-2f5f7d9a1b11"}': {} },
      },
      "f:spec": {
        "f:containers": {
          'k:{"name":"postgres"}': {
            ".": {},
            "f:env": { ".": {} },
            "f:image": {},
            "f:name": {},
            "f:resources": {},
          },
          'k:{"name":"exporter"}': {
            ".": {},
            "f:env": { ".": {} },
            "f:image": {},
            "f:name": {},
            "f:resources": {},
          },
        },
        "f:dnsPolicy": {},
        "f:hostname": {},
        "f:restartPolicy": {},
        "f:subdomain": {},
      },
    },
  };
}

const API_ACCESS = "kube-api-access-x7k2p";

/** What the ServiceAccount admission plugin adds, before any webhook is asked. */
export function apiAccessVolume(): JsonObject {
  const certificate = { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] };
  const namespace = { path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } };
  const sources = [
    { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
    { configMap: certificate },
    { downwardAPI: { items: [namespace] } },
  ];
  return { name: API_ACCESS, projected: { sources, defaultMode: 420 } };
}

export const apiAccessMount = (): JsonObject => ({
  name: API_ACCESS,
  readOnly: true,
  mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
});

export const containerDefaults = (): JsonObject => ({
  terminationMessagePath: "/dev/termination-log",
  terminationMessagePolicy: "File",
  imagePullPolicy: "IfNotPresent",
});

export const literal = (name: string, value: string): JsonObject => ({ name, value });

export const fromField = (name: string, fieldPath: string): JsonObject => ({
  name,
  valueFrom: { fieldRef: { apiVersion: "v1", fieldPath } },
});

export const fromSecret = (name: string, secret: string, key: string): JsonObject => ({
  name,
  valueFrom: { secretKeyRef: { name: secret, key } },
});
