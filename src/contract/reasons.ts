/**
 * Reason codes: why something was done, not done or refused. The same word stands in the warning, the audit
 * annotation, the metric label, the log and the Event. Stable once shipped; each is documented here and nowhere
 * else (docs/reference/reasons.md is generated from this table).
 *
 * `decision` codes: exactly one for each pod. `part` codes: any number beside it, each about one mutation. `cluster` codes:
 * any number for each Patroni cluster, given by the controller in Events on what owns the cluster's pods.
 * A code with `warn` is also sent to the API client as a warning.
 */
export interface ReasonEntry {
  readonly level: "decision" | "part" | "cluster";
  readonly warn: boolean;
  readonly means: string;
  readonly remedy: string;
}

const decision = (means: string, remedy = "", warn = false) =>
  ({ level: "decision", warn, means, remedy }) as const;
const part = (means: string, remedy: string, warn = true) =>
  ({ level: "part", warn, means, remedy }) as const;
const cluster = (means: string, remedy: string) =>
  ({ level: "cluster", warn: false, means, remedy }) as const;

export const REASONS = {
  injected: decision("The pod was changed as planned."),
  "already-injected": decision("The pod already is as planned: nothing to change."),
  "not-a-pod": decision("The request is not the creation of a pod (another kind, operation or subresource)."),
  "not-selected": decision(
    "No pod selector of the configuration matches the pod's labels, neither of `selectors` nor of `poolers`.",
    "Add the label, or extend `selectors` (`poolers.selectors` for pods with PgBouncer and no Patroni) in the configuration.",
  ),
  "namespace-excluded": decision(
    "The namespace is the injector's own, kube-system, or excluded by configuration.",
  ),
  "opted-out": decision('The pod\'s annotation `inject` is "false".'),
  "static-pod": decision(
    "A mirror of a static pod: the kubelet runs it from a file, a change here has no effect.",
  ),
  windows: decision("A Windows pod: Patroni's images and the sidecar are Linux only."),
  job: decision(
    "A pod of a Job, while sidecars are plain containers: a container that never ends keeps the Job from ending.",
    "Use native sidecars (`sidecar.native: true`, every kubelet at 1.33 or newer).",
  ),
  "no-patroni-container": decision(
    "No container looks like Patroni (environment `PATRONI_*`, `SCOPE`, `SPILO_CONFIGURATION`, or port 8008).",
    "Name it with the annotation `container`.",
  ),
  "ambiguous-container": decision(
    "Several containers look like Patroni equally.",
    "Name the right one with the annotation `container`.",
    true,
  ),
  "no-scope": decision(
    "The cluster's scope cannot be found (annotation `cluster`, `PATRONI_SCOPE` or `SCOPE`, the scope label; of a pooler its label `pooler-of`): its Services cannot be named.",
    "Set the annotation `cluster`.",
    true,
  ),
  "malformed-pod": decision(
    "The pod's shape cannot be read (for example `spec.containers` is not a list): left to the API server's own validation.",
  ),
  "invalid-annotation": decision(
    "An annotation's value is not allowed; the message names the annotation, the value and what is allowed.",
    "Correct the annotation. With `onInvalid: ignore` it is passed over with this warning instead.",
    true,
  ),
  "internal-error": decision(
    "A bug while deciding. Under `failurePolicy: Ignore` the pod is admitted unchanged, under `Fail` it is refused.",
    "Please report it with the log line of this request's uid.",
    true,
  ),

  "subdomain-in-use": part(
    "The pod's subdomain names a Service that cannot be seen or may be needed; pod DNS and connect addresses are left alone.",
    "Make that Service headless, or name one with the annotation `headless-service`.",
  ),
  "headless-unusable": part(
    "The headless Service's name is taken by a Service that is not headless, does not publish not-ready addresses, or does not select the pod.",
    "Rename that Service, or name another with the annotation `headless-service`.",
  ),
  "no-stable-name": part(
    "The pod has neither a name nor a hostname yet (generateName), so it has no DNS name to announce.",
    "Use a StatefulSet, or set `hostname`.",
  ),
  "no-cluster-dns": part(
    "The pod does not resolve cluster names (host network without `ClusterFirstWithHostNet`, or `dnsPolicy` Default or None).",
    "Set `dnsPolicy: ClusterFirstWithHostNet` (host network) or `ClusterFirst`.",
  ),
  "invalid-name": part(
    "A name that would have to be generated cannot be valid; the part that needs it is skipped.",
    "Use a scope and a hostname that are DNS labels (lower case letters, digits and dashes, at most 63 characters).",
  ),
  "copied-pod": part(
    "A copy of an injected pod (kubectl debug --copy-to): its hostname was set to its own name, so that the original's DNS name stays unambiguous.",
    "",
  ),
  "address-may-be-set": part(
    "The Patroni container takes variables from a ConfigMap (`envFrom`), which cannot be seen here and may hold a connect address: none is written.",
    'Set the annotation `connect-addresses` to "on" to write them whatever the ConfigMap holds, or to "off".',
  ),
  "user-set-address": part(
    "A connect address that the user set stays as it is.",
    "Remove it, to let the DNS name be announced.",
    false,
  ),
  "spilo-configuration-from": part(
    "SPILO_CONFIGURATION (or PATRONI_CONFIGURATION) comes from `valueFrom` and cannot be merged with: connect addresses are left alone.",
    "Give it as a value, or set the connect addresses in its source.",
  ),
  "spilo-configuration-invalid": part(
    "SPILO_CONFIGURATION (or PATRONI_CONFIGURATION) is not a YAML or JSON mapping that can be merged with: connect addresses are left alone.",
    "Correct it; the detail says where.",
  ),
  "mesh-too-late": part(
    "Istio is in the pod already and was not told of these exclusions: its init container was rendered without them.",
    "Let this webhook run first: its configuration's name must sort before `istio-`.",
  ),
  "mesh-host-network": part("A pod on the host network is not part of a mesh: no exclusions.", "", false),
  "sidecar-port-in-use": part(
    "A container of the pod already uses a port of the sidecar's, its own or that of the reload API (8012): no sidecar.",
    "Set `sidecar.port` in the configuration to a free one; where it is 8012, move the other container's port or leave the reload API out.",
  ),
  "reload-volume-missing": part(
    "An annotation names a volume that the pod does not have: the sidecar serves no reload API, and does not let PgBouncer reconnect.",
    "Name a volume of the pod's `spec.volumes`.",
  ),
  "sidecar-suspended": part(
    "The sidecar failed in this namespace and is suspended; the controller writes for these pods.",
    "A pod that is stuck must be deleted: it comes back without the sidecar. The suspension ends by itself once the image runs there again; the Event on the owner says which pod it is tried on.",
  ),
  "spilo-token-unreadable": part(
    "fsGroup is set and is not 103: Spilo's Patroni runs as 101:103 and cannot read its ServiceAccount token.",
    "Set the annotation `spilo-token: fix`, or fsGroup 103.",
  ),
  "legacy-discovery-sidecar": part(
    "The pod still carries a discovery loop of its own, which patches Endpoints or labels without a precondition.",
    "Remove that container once the primary Service is served by patroni-injector.",
  ),
  "pod-level-resources": part(
    "The pod has resources of its own (`spec.resources`): the sidecar lives within them and asks for none.",
    "",
    false,
  ),

  "service-occupied": cluster(
    "The primary Service is served by something else (a selector, another owner, another EndpointSlice, an Endpoints object), or is an ExternalName: the primary is not published there, for two sources would be two backends.",
    "Remove the other source, or name another Service with the annotation `primary-service`; an Endpoints object is put aside with the annotation `take-over` on the Service.",
  ),
  "service-taking-over": cluster(
    "The Service's Endpoints object is marked `skip-mirror`; the primary is published as soon as its mirrored EndpointSlice is gone.",
    "",
  ),
  "headless-unfit": cluster(
    "The headless Service was made by somebody else and cannot carry the members' names (it is not headless, does not publish not-ready addresses, or does not select all members).",
    "Correct that Service, or name another with the annotation `headless-service`.",
  ),
  "settings-differ": cluster(
    "Members of one cluster name different primary Services, headless Services or PostgreSQL ports; those of the first member count.",
    "Give all pods of the cluster the same annotations.",
  ),
  "shared-serviceaccount": cluster(
    "Several clusters use one ServiceAccount: a member of one could write the primary of the other.",
    "Give each cluster a ServiceAccount of its own.",
  ),
  "peer-authentication-conflict": cluster(
    "Another PeerAuthentication selects these pods. Of two for one workload the oldest wins, so that the ports may not be left alone.",
    "Put the ports into that PeerAuthentication, or let it select other pods.",
  ),
  "term-refused": cluster(
    "A member is a primary of a lower timeline, or of another system, than was published before: it may be an old one that woke up.",
    "After a restore, set the annotation `reset-term` on the primary Service to a new value.",
  ),
  unobservable: cluster(
    "The controller cannot reach a member's Patroni; nothing is published or removed for it.",
    "Allow the controller to reach Patroni's port (a NetworkPolicy, a mesh). Over TLS name its CA with the annotation `patroni-ca-secret`, and let the controller read that Secret (docs/how-to/patroni-over-tls.md).",
  ),
  "reload-certificate": cluster(
    "Members ask for the reload API, and the controller cannot keep a certificate for them: the API stays closed, or goes on with the certificate that it has until that expires.",
    "Name the namespace in the chart's `rbac.reloadCertificates` (docs/how-to/reload.md has the Secret and the Role to make by hand), or name a Secret of your own in the annotation `reload-tls-secret`.",
  ),
  "reload-failed": cluster(
    "A pod's sidecar could not reload a component, or prove that it did. The Event is on the pod.",
    "See `GET /v1/status` of the pod's reload API, and the sidecar's log.",
  ),
  "not-injected": cluster(
    "Pods of the cluster run without the sidecar: they were there before, or came while the webhook could not be reached. The controller writes for them, more slowly.",
    "Restart them, replicas first, or let the controller do so (`controller.repair: evict`).",
  ),
  "sidecar-outdated": cluster(
    "Pods of the cluster run the sidecar in another image than is configured.",
    "Restart them, replicas first, or let the controller do so (`controller.repair: evict`).",
  ),
  "repair-stopped": cluster(
    "A pod that the controller evicted came back as it was: no other pod of the cluster is evicted before that one is as it should be.",
    "See why the webhook did not inject it (the log of `serve` with the pod's name), and restart it by hand.",
  ),
} as const satisfies Record<string, ReasonEntry>;

export type Reason = keyof typeof REASONS;

type CodesOf<Level> = {
  [Code in Reason]: (typeof REASONS)[Code]["level"] extends Level ? Code : never;
}[Reason];

/** Codes of which exactly one stands for each pod. */
export type DecisionReason = CodesOf<"decision">;

/** Codes that may stand beside a decision, each about one part of it. */
export type PartReason = CodesOf<"part">;

/** Codes about a Patroni cluster as a whole. */
export type ClusterReason = CodesOf<"cluster">;
