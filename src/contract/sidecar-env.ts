/**
 * The environment of the sidecar: how injection tells it what it is to do. Read by `patroni-injector sidecar`, written
 * by the injection, documented here and nowhere else.
 */
export const SIDECAR_ENV = {
  /** Where the pod is, by the downward API. */
  POD_NAME: "metadata.name",
  POD_NAMESPACE: "metadata.namespace",
  POD_UID: "metadata.uid",
  POD_IP: "status.podIP",
  POD_IPS: "status.podIPs",
  NODE_NAME: "spec.nodeName",
} as const;

/** Settings that follow from the pod, its annotations and the configuration. */
export const SIDECAR_SETTINGS = {
  PATRONI_INJECTOR_ROLE: "`pooler`: beside PgBouncer in a pod without Patroni. Absent: beside Patroni.",
  PATRONI_INJECTOR_CLUSTER: "The cluster's scope.",
  PATRONI_INJECTOR_PRIMARY_SERVICE: "The Service whose EndpointSlice the sidecar keeps, or follows.",
  PATRONI_INJECTOR_PORT: "The port that the sidecar listens on.",
  PATRONI_INJECTOR_POSTGRES_PORT: "PostgreSQL's port in the pod.",
  PATRONI_INJECTOR_PATRONI_PORT: "The port of Patroni's REST API, on the pod's own address.",
  PATRONI_INJECTOR_PATRONI_SCHEME: "`http` (default) or `https`.",
  PATRONI_INJECTOR_PATRONI_NAME:
    "The name that the certificate of Patroni's REST API must carry (https only).",
  PATRONI_INJECTOR_LEADER_OBJECT:
    "Patroni's leader object with Kubernetes as DCS: `configmaps/<name>` or `endpoints/<name>`. Absent with any other DCS.",
  PATRONI_INJECTOR_TOKEN_DIR: "The folder with `token`, `ca.crt` and `namespace` for the Kubernetes API.",
  PATRONI_INJECTOR_CA_DIR: "The folder with `ca.crt` for Patroni's REST API; may be empty or absent.",
  PATRONI_INJECTOR_CLIENT_DIR:
    "The folder with `tls.crt` and `tls.key` for Patroni's REST API; may be empty or absent.",
  PATRONI_INJECTOR_AUTH_DIR:
    "The folder with `username` and `password` of Patroni's REST API; may be empty or absent.",
  PATRONI_INJECTOR_DISCOVERY: "`off`: the primary is not published.",
  PATRONI_INJECTOR_RELOAD: "`off`: the reload API is not served.",
  PATRONI_INJECTOR_LOG_LEVEL: "`debug`, `info`, `warn` or `error`.",
} as const;

export type SidecarSetting = keyof typeof SIDECAR_SETTINGS;
