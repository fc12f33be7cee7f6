/**
 * Every metric of `serve`, documented here and nowhere else (docs/reference/metrics.md is generated from this table).
 * Names are stable once shipped. A label's values are from a closed set, but for those of `target_namespace`: a
 * namespace of databases (a label `namespace` would become that of the scraped pod).
 */
export interface MetricEntry {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

/** Milliseconds matter: an answer takes well under one, and the API server waits for five seconds. */
const SECONDS = [0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export const METRICS = {
  admissionReviews: {
    kind: "counter",
    name: "patroni_injector_admission_reviews_total",
    help: "Pods decided on, by namespace mode, decision, reason code and dry run.",
    labels: ["mode", "decision", "reason", "dry_run"],
  },
  admissionNotes: {
    kind: "counter",
    name: "patroni_injector_admission_notes_total",
    help: "Reasons given beside a decision, each about one part of it.",
    labels: ["reason"],
  },
  admissionRefused: {
    kind: "counter",
    name: "patroni_injector_admission_refused_total",
    help: "Requests to the webhook that are no review it can answer, by HTTP status.",
    labels: ["status"],
  },
  admissionDuration: {
    kind: "histogram",
    name: "patroni_injector_admission_duration_seconds",
    help: "Seconds from a request's headers to the end of its answer.",
    buckets: SECONDS,
  },
  admissionInFlight: {
    kind: "gauge",
    name: "patroni_injector_admission_in_flight",
    help: "Requests that are being received or answered.",
  },
  admissionWaiting: {
    kind: "gauge",
    name: "patroni_injector_admission_waiting",
    help: "Reviews that were received and wait to be decided on; past a bound further ones are answered 429.",
  },
  webhookConnections: {
    kind: "gauge",
    name: "patroni_injector_webhook_connections",
    help: "Connections to the webhook that are open or in their TLS handshake.",
  },
  webhookConnectionsClosed: {
    kind: "counter",
    name: "patroni_injector_webhook_connections_closed_total",
    help: "Connections to the webhook that were given up, by cause: a failed TLS handshake (handshake), a request that did not arrive in time (slow), a request before the answer to the one before (pipelined), too many connections (evicted).",
    labels: ["why"],
  },
  configLoaded: {
    kind: "gauge",
    name: "patroni_injector_config_last_reload_successful",
    help: "1 where the configuration file as it is now is in force, 0 where it is bad and the one before it counts.",
  },
  configReloads: {
    kind: "counter",
    name: "patroni_injector_config_reloads_total",
    help: "Changes of the configuration file, by result (success, failure).",
    labels: ["result"],
  },
  registrations: {
    kind: "counter",
    name: "patroni_injector_webhook_registrations_total",
    help: "Writes of the MutatingWebhookConfiguration, by result (success, failure).",
    labels: ["result"],
  },
  controllerLeader: {
    kind: "gauge",
    name: "patroni_injector_controller_leader",
    help: "1 in the one replica that reconciles, 0 in the others.",
  },
  controllerReconciles: {
    kind: "counter",
    name: "patroni_injector_controller_reconciles_total",
    help: "Looks at one cluster's objects, by result (success, failure).",
    labels: ["result"],
  },
  controllerQueueDepth: {
    kind: "gauge",
    name: "patroni_injector_controller_queue_depth",
    help: "Clusters that are waiting to be looked at, are being looked at, or pause after a failure.",
  },
  controllerClusters: {
    kind: "gauge",
    name: "patroni_injector_controller_clusters",
    help: "Patroni clusters that the controller looks after.",
  },
  controllerPods: {
    kind: "gauge",
    name: "patroni_injector_controller_pods",
    help: "Pods of these clusters, by the state of their sidecar (running, down, absent).",
    labels: ["sidecar"],
  },
  uninjectedPods: {
    kind: "gauge",
    name: "patroni_injector_uninjected_pods",
    help: "Pods in opted-in namespaces that are not as the webhook would make them now, by their namespace and reason code (not-injected, sidecar-outdated, sidecar-suspended).",
    labels: ["target_namespace", "reason"],
  },
  suspensions: {
    kind: "gauge",
    name: "patroni_injector_sidecar_suspended",
    help: "1 for each namespace whose pods are admitted without the sidecar, because it failed there.",
    labels: ["target_namespace"],
  },
  evictions: {
    kind: "counter",
    name: "patroni_injector_evictions_total",
    help: "Pods that the controller restarts so that they are injected, by result (evicted, refused by a disruption budget, failed).",
    labels: ["result"],
  },
  controllerFindings: {
    kind: "gauge",
    name: "patroni_injector_controller_findings",
    help: "What stands against clusters now, by reason code, and by severity as an audit rates it (error, warning, info).",
    labels: ["reason", "severity"],
  },
  controllerObservations: {
    kind: "counter",
    name: "patroni_injector_controller_observations_total",
    help: "Members that the controller asked itself, by outcome (answered, refused, silent).",
    labels: ["outcome"],
  },
  controllerReloadLooks: {
    kind: "counter",
    name: "patroni_injector_controller_reload_looks_total",
    help: "Reload APIs of members that the controller asked for their status, by outcome (answered, silent).",
    labels: ["outcome"],
  },
  controllerPublications: {
    kind: "counter",
    name: "patroni_injector_controller_publications_total",
    help: "Writes of primaries' EndpointSlices by the controller in the place of a member, by kind (publish, withdraw).",
    labels: ["kind"],
  },
  certificateExpiry: {
    kind: "gauge",
    name: "patroni_injector_certificate_expiry_timestamp_seconds",
    help: "When the certificate that is being served expires, as a Unix time.",
  },
  certificateTrusted: {
    kind: "gauge",
    name: "patroni_injector_certificate_trusted",
    help: "1 where every entry of the live webhook configuration accepts the certificate that is being served.",
  },
  webhookRegistered: {
    kind: "gauge",
    name: "patroni_injector_webhook_registered",
    help: "1 where every entry of the live webhook configuration holds every authority that this replica wants in it: a rotation goes on only then.",
  },
  certificateLoads: {
    kind: "counter",
    name: "patroni_injector_certificate_loads_total",
    help: "Certificates and keys found in files, by result (success, failure).",
    labels: ["result"],
  },
  certificateSteps: {
    kind: "counter",
    name: "patroni_injector_certificate_steps_total",
    help: "Steps of the rotation that this replica made, by what was made (authority, leaf, retirement).",
    labels: ["made"],
  },
  clockSkew: {
    kind: "gauge",
    name: "patroni_injector_clock_skew_seconds",
    help: "How far this machine's clock is ahead of the API server's.",
  },
  eventLoopLag: {
    kind: "gauge",
    name: "patroni_injector_event_loop_lag_seconds",
    help: "The longest wait for the event loop since the last scrape.",
  },
  cpuSeconds: {
    kind: "counter",
    name: "process_cpu_seconds_total",
    help: "User and system CPU time of this process.",
  },
  residentMemory: {
    kind: "gauge",
    name: "process_resident_memory_bytes",
    help: "Resident memory of this process.",
  },
  startTime: {
    kind: "gauge",
    name: "process_start_time_seconds",
    help: "When this process started, as a Unix time.",
  },
  buildInfo: {
    kind: "gauge",
    name: "patroni_injector_build_info",
    help: "Always 1; the labels say what runs.",
    labels: ["version", "node_version"],
  },
} as const satisfies Record<string, MetricEntry>;
