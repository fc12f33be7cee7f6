/** Names of objects, labels, containers and ports that users see. Stable once shipped. */

/** The domain of every label and annotation of this product. */
export const DOMAIN = "patroni-injector.io";

/** Namespace label that opts a namespace in. Values: {@link INJECTION_MODES}. */
export const NAMESPACE_LABEL = `${DOMAIN}/injection`;

/** `enabled` changes pods, `audit` only says what it would do, `disabled` is the same as no label. */
export const INJECTION_MODES = ["enabled", "audit", "disabled"] as const;
export type InjectionMode = (typeof INJECTION_MODES)[number];

/** Pod label with the cluster's scope (or its hash): the selector of the headless Service. */
export const CLUSTER_LABEL = `${DOMAIN}/cluster`;

/** Pod label of a pooler: the scope of the cluster, in the same namespace, that it leads to. Poolers are selected by it. */
export const POOLER_LABEL = `${DOMAIN}/pooler-of`;

/** The injected container. The name is reserved: a container of this name is taken for ours. */
export const SIDECAR_CONTAINER = "patroni-injector";

/** The projected volume with the sidecar's own ServiceAccount token. The name is reserved. */
export const TOKEN_VOLUME = "patroni-injector-token";

/** Where the sidecar finds its token, the cluster CA and its namespace. */
export const TOKEN_MOUNT = "/var/run/secrets/patroni-injector.io/serviceaccount";

/** Where the optional Secrets that annotations name are mounted in the sidecar: `<mount>/<purpose>`. */
export const SECRET_MOUNT = "/etc/patroni-injector";

/** Where the volumes that the reload API reads are mounted in the sidecar, read-only: `<mount>/<purpose>`. */
export const RELOAD_MOUNT = "/var/lib/patroni-injector";

/** Where the sidecar makes the Unix socket of its reload API, where one is asked for. */
export const RELOAD_SOCKET_MOUNT = "/run/patroni-injector";
export const RELOAD_SOCKET = `${RELOAD_SOCKET_MOUNT}/reload.sock`;

/** Env variable of the Patroni container that holds the pod's name, for the connect addresses. */
export const POD_NAME_ENV = "PATRONI_INJECTOR_POD_NAME";

/** Field manager of every object that is written with server-side apply. */
export const FIELD_MANAGER = "patroni-injector";

/**
 * Default name of the MutatingWebhookConfiguration. Configurations are called in plain byte order of their
 * names: this one must come before `istio-sidecar-injector…` and `istio-revision-tag-…`.
 */
export const WEBHOOK_CONFIGURATION = "00-patroni-injector";

/** Paths of the two kinds of webhook entries: the request itself tells the mode. */
export const MUTATE_PATH = "/mutate";
export const AUDIT_PATH = "/audit";

/** Suffixes of the Services that belong to a cluster: `<scope>-headless`, `<scope>-primary`. */
export const HEADLESS_SUFFIX = "-headless";
export const PRIMARY_SUFFIX = "-primary";

/** Label of every object that the controller made. */
export const MANAGED_BY_LABEL = "app.kubernetes.io/managed-by";
export const MANAGED_BY = "patroni-injector";

/** On every object that the controller applies: a digest of what it wants, so that it sees when that has changed. */
export const DESIRED_ANNOTATION = `${DOMAIN}/desired`;

/** The Lease that the one replica holds which reconciles. */
export const CONTROLLER_LEASE = "patroni-injector-controller";

/** The ConfigMap, beside the Lease, that says in which namespaces the sidecar is suspended. */
export const SUSPENSIONS_CONFIGMAP = "patroni-injector-suspensions";

/** Suffixes of the Secrets with certificates of our own: `<service>-ca`, `<service>-leaf`, after the webhook's Service. */
export const AUTHORITY_SECRET_SUFFIX = "-ca";
export const LEAF_SECRET_SUFFIX = "-leaf";

/** Suffix of the Secret with the authorities of the reload API's certificates, beside those. */
export const RELOAD_AUTHORITY_SECRET_SUFFIX = "-reload-ca";

/** The Secret, one in a namespace, with the certificate that its members serve the reload API with, unless they name another. */
export const RELOAD_TLS_SECRET = "patroni-injector-reload-tls";

/** The volume that mounts it, or the one that is named instead, in the sidecar. */
export const RELOAD_TLS_VOLUME = `${SIDECAR_CONTAINER}-reload-tls`;

/** Label of Secrets that were made, empty, for the controller to fill. It writes no other. Values: {@link KEPT}. */
export const KEEPS_LABEL = `${DOMAIN}/keeps`;
export const KEPT = { authorities: "reload-authorities", certificate: "reload-certificate" } as const;

/** On an object of a cluster that is in another namespace: the cluster's own. */
export const CLUSTER_NAMESPACE_LABEL = `${DOMAIN}/namespace`;
