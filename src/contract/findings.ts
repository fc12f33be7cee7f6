/**
 * The codes of an audit's findings: stable once shipped, each documented here and nowhere else (docs/reference/findings.md is
 * generated from this table). Where the webhook or the controller has a reason of the same meaning, the word is the same.
 *
 * Severity: an `error` breaks something now, or at the next change of primary; a `warning` is a risk, or costs something; an `info` is
 * what somebody may have decided so.
 */
export interface FindingEntry {
  readonly family: FindingFamily;
  readonly severity: Severity;
  readonly means: string;
  readonly matters: string;
  readonly remedy: string;
}

export const SEVERITIES = ["error", "warning", "info"] as const;
export type Severity = (typeof SEVERITIES)[number];

export const FAMILIES = [
  "injection",
  "addresses",
  "primary",
  "mesh",
  "network",
  "permissions",
  "replication",
  "exposure",
] as const;
export type FindingFamily = (typeof FAMILIES)[number];

type Texts = readonly [means: string, matters: string, remedy: string];

const of =
  (family: FindingFamily) =>
  (severity: Severity, ...[means, matters, remedy]: Texts) =>
    ({ family, severity, means, matters, remedy }) as const;

const injection = of("injection");
const addresses = of("addresses");
const primary = of("primary");
const mesh = of("mesh");
const network = of("network");
const permissions = of("permissions");
const replication = of("replication");
const exposure = of("exposure");

const BLOCKED =
  "A connection that times out looks like a dead server: members leave the cluster, or never join.";

export const FINDINGS = {
  "not-opted-in": injection(
    "info",
    "The namespace of a Patroni cluster has not opted in.",
    "Nothing is injected there.",
    "Label the namespace, then restart the members one by one, replicas first.",
  ),
  "not-injected": injection(
    "error",
    "A member runs without the sidecar although its pod would be injected today.",
    "It was created before its namespace opted in, or while the webhook was not there. It announces what it announced before, and only the controller publishes it.",
    "Restart the member, replicas first.",
  ),
  "older-sidecar": injection(
    "warning",
    "A member's sidecar is of another version than a new pod would get.",
    "It lacks what the newer one mends.",
    "Restart the member, replicas first.",
  ),
  "outdated-injection": injection(
    "warning",
    "A running member differs from what it would get today.",
    "A setting that was changed since is not in force there.",
    "Restart the member, replicas first.",
  ),
  "opted-out": injection(
    "info",
    'The pod says `inject: "false"`.',
    "It is left alone.",
    "Remove the annotation where that was not meant.",
  ),
  "ambiguous-container": injection(
    "error",
    "Several containers look like Patroni equally.",
    "The pod is not injected.",
    "Name the right one with the annotation `container`.",
  ),
  "no-scope": injection(
    "error",
    "The cluster's scope cannot be found.",
    "The pod is not injected: its Services cannot be named.",
    "Set the annotation `cluster`.",
  ),
  "invalid-annotation": injection(
    "error",
    "An annotation's value is not allowed.",
    "The webhook refuses the pod, or passes over the annotation.",
    "Correct the value: the evidence says what is allowed.",
  ),
  "failed-open": injection(
    "error",
    "A pod of this workload went through the API server's admission, and came back not injected.",
    "The webhook was not called, or did not answer: `failurePolicy: Ignore` admits the pod as it is.",
    "Look at the webhook's own findings, and at the log of `serve`.",
  ),
  "admission-differs": injection(
    "warning",
    "A pod of this workload comes back from the API server's admission injected, and otherwise than planned.",
    "Another webhook or policy changes what was injected, or `serve` has another configuration than the audit: what was changed is not in force.",
    "The evidence names the fields: look for whoever else changes them.",
  ),
  "webhook-missing": injection(
    "error",
    "There is no webhook configuration for the selector of these pods.",
    "Nothing is injected anywhere.",
    "Is the chart installed? Does `serve` run, and may it write its configuration?",
  ),
  "webhook-untrusted": injection(
    "error",
    "The webhook configuration trusts nobody (`caBundle` is empty, or cannot be read), or not what a pod of the webhook serves: another authority has signed it, it is for another name, it has expired or is not valid yet.",
    "The API server cannot call the webhook.",
    "`patroni-injector certs`, in the injector's own pod, says what is served and when it rotates. Where others keep the certificate or the `caBundle` (cert-manager, a pipeline), look there.",
  ),
  "webhook-unreachable": injection(
    "error",
    "No endpoint of the webhook's Service is ready.",
    "New pods are admitted without injection.",
    "Look at the pods of `serve`.",
  ),
  "webhook-order": injection(
    "warning",
    "The mesh's webhook is called before ours.",
    "Configurations are called in the byte order of their names: the mesh does not see the ports that we exclude, unless it is called again.",
    "Name our configuration so that it sorts before the mesh's.",
  ),

  "announces-ip": addresses(
    "error",
    "A member announces an IP address to the other members.",
    "Addresses of pods change, and a mesh knows pods by their names only: replicas lose their leader after a restart.",
    "Restart the member once it is injected; see the notes of its injection where it is.",
  ),
  "headless-missing": addresses(
    "error",
    "The headless Service of the members' names does not exist.",
    "The names that members announce do not resolve.",
    "The controller makes it once the namespace has opted in; or apply the manifest of the fix.",
  ),
  "headless-not-ready": addresses(
    "error",
    "The headless Service does not publish addresses of members that are not ready.",
    "A starting replica cannot be found by name, and a leader that is not ready yet is found by nobody.",
    "Set `publishNotReadyAddresses: true`.",
  ),
  "subdomain-not-headless": addresses(
    "error",
    "The pods' subdomain names a Service that is not headless.",
    "The members' names lead to the Service, not to the member.",
    "Name a headless Service with the annotation `headless-service`.",
  ),
  "name-unresolved": addresses(
    "error",
    "A name that a member announces belongs to no Service that would resolve it.",
    "Nobody can connect to that member.",
    "Does a headless Service of that name select the pod?",
  ),

  "service-occupied": primary(
    "error",
    "The primary Service has a source of addresses that is not ours.",
    "Two sources are two backends: a replica would get writes. So nothing is published there.",
    "Free it: remove its selector, or put the other source aside with the annotation `take-over`.",
  ),
  "stale-endpoints": primary(
    "error",
    "An Endpoints object leads the primary Service to a pod that is not the primary, or to none at all.",
    "Writes fail, or hang.",
    "Annotate the Service with `take-over`, and end the loop that writes the object.",
  ),
  "published-not-leader": primary(
    "error",
    "The published member is not the one that Patroni's leader object names.",
    "Writes reach a replica.",
    "It mends itself within seconds; where it stays, the log of that member's sidecar says why.",
  ),
  "nothing-published": primary(
    "error",
    "Patroni has a leader, and the primary Service has no address.",
    "Nobody can connect.",
    "`patroni-injector status` in the leader's sidecar says why it does not publish.",
  ),
  "legacy-discovery-sidecar": primary(
    "warning",
    "A container of the pod looks like a loop that keeps the primary's Endpoints by itself.",
    "It writes without a precondition, every few seconds: it may point the Service to a replica.",
    "Remove it once the primary Service is published by the injector.",
  ),
  "two-primaries": primary(
    "error",
    "Two members say that they are the primary.",
    "Writes to one of them will be lost.",
    "Find out which one holds the leader lock; fence the other one.",
  ),

  "peer-authentication-differs": mesh(
    "error",
    "The ports that pods exclude from the mesh are not those on which its policy disables mTLS.",
    "On a port that is excluded, and where mTLS is demanded, replication and Patroni's REST API are refused. On one that is not excluded the proxy stands between: PostgreSQL sees its address instead of the clients', so pg_hba goes wrong.",
    "Apply the policy of the fix, or let the controller make it; restart the member that does not exclude the ports.",
  ),
  "peer-authentication-conflict": mesh(
    "error",
    "Another PeerAuthentication selects these pods, and it is older.",
    "Of two policies for a workload the oldest wins.",
    "Merge the two.",
  ),
  "include-inbound-ports": mesh(
    "warning",
    "The pod lists the ports that go through the mesh (`includeInboundPorts`).",
    "Exclusions count only where all ports are included.",
    "Take the database's ports out of the list.",
  ),
  "port-name": mesh(
    "warning",
    "A Service port's name makes Istio take PostgreSQL for another protocol.",
    "The proxy waits for bytes that the client does not send: connections hang.",
    "Name it `tcp-postgres`, or set `appProtocol: tcp`.",
  ),
  "rest-api-open": mesh(
    "warning",
    "Patroni's REST API has no authentication, on a port without mTLS.",
    "Whoever reaches the port can restart PostgreSQL or move the primary.",
    "Set `restapi.authentication`, or verify client certificates.",
  ),
  "postgres-plain": mesh(
    "warning",
    "PostgreSQL's `ssl` is off on a port that is excluded from mTLS.",
    "Passwords and data cross the network in the clear.",
    "Set `ssl: on` with a certificate.",
  ),

  "blocked-api-server": network(
    "error",
    "A NetworkPolicy keeps members from the API server.",
    "With Kubernetes as DCS the primary demotes itself, and the sidecar cannot publish.",
    "Allow egress to the API server's addresses on 443 and 6443.",
  ),
  "blocked-dns": network(
    "error",
    "A NetworkPolicy keeps members from DNS.",
    "Members announce names: none of them can be resolved.",
    "Allow egress to 53, UDP and TCP; on OpenShift to 5353 of `openshift-dns`; where each node has a cache, to its address.",
  ),
  "blocked-postgres": network(
    "error",
    "A NetworkPolicy keeps members from each other's PostgreSQL.",
    BLOCKED,
    "Allow PostgreSQL's port between members, ingress and egress.",
  ),
  "blocked-patroni": network(
    "error",
    "A NetworkPolicy keeps members from each other's Patroni.",
    BLOCKED,
    "Allow the REST API's port between members, ingress and egress.",
  ),
  "blocked-operator": network(
    "error",
    "A NetworkPolicy keeps the operator from its pods.",
    "The operator cannot see or change the cluster.",
    "Allow ingress from the operator's namespace.",
  ),
  "blocked-controller": network(
    "warning",
    "A NetworkPolicy keeps the injector's controller from the members' Patroni.",
    "Members whose sidecar does not run cannot be observed, so they are not published.",
    "Allow ingress from the injector's namespace to the REST API's port.",
  ),

  "patroni-permissions": permissions(
    "error",
    "Patroni's ServiceAccount lacks a permission that Patroni needs.",
    "It cannot take or keep the leader lock.",
    "Apply the Role of the fix.",
  ),
  "patroni-default-permissions": permissions(
    "warning",
    "Patroni's ServiceAccount may not read the Endpoints `kubernetes` in namespace `default`.",
    "With `bypass_api_service` Patroni finds the API server's nodes there: without it every call goes through the Service, and one slow API server costs the leader its lock.",
    "Apply the Role and the binding of the fix.",
  ),
  "sidecar-permissions": permissions(
    "error",
    "The sidecar's ServiceAccount lacks a permission that the sidecar needs.",
    "It cannot publish its member.",
    "The controller makes the Role and its binding: its log says why it did not.",
  ),
  "shared-serviceaccount": permissions(
    "warning",
    "Several clusters share a ServiceAccount.",
    "A member of one could publish itself as the primary of another.",
    "Give each cluster a ServiceAccount of its own.",
  ),
  "spilo-token-unreadable": permissions(
    "error",
    "Spilo's Patroni cannot read its ServiceAccount token.",
    "The token is readable by root and by fsGroup only: without fsGroup 103 Patroni cannot reach the API server.",
    "Set the annotation `spilo-token: fix`, or `fsGroup: 103`.",
  ),

  "standby-not-streaming": replication(
    "error",
    "A standby does not stream.",
    "A failover to it loses what it has not received.",
    "The standby's log names the cause: a password, pg_hba, the network, a WAL segment that is gone.",
  ),
  "replication-lag": replication(
    "warning",
    "A standby is behind its leader: by more than `maximum_lag_on_failover`, or with no newer commit than of five minutes ago.",
    "A failover to it takes longer, or loses data.",
    "Look at its disk and CPU, and for queries that hold replay up.",
  ),
  "pg-hba-replication": replication(
    "error",
    "pg_hba has no rule that lets the replication user in from the other members.",
    "Standbys cannot connect: at the latest after the next change of primary.",
    "Add a `replication` rule for the user and the pods' network where the rules stand: the evidence says where.",
  ),
  "synchronous-not-in-force": replication(
    "error",
    "`synchronous_mode` is asked for, and there is no standby that Patroni calls synchronous and PostgreSQL waits for.",
    "A failover loses acknowledged writes, or, under `synchronous_mode_strict`, writes hang.",
    "Look at the standbys: one that streams becomes synchronous by itself.",
  ),
  "synchronous-nodes-short": replication(
    "warning",
    "Fewer standbys are synchronous than `synchronous_node_count` asks for.",
    "Acknowledged writes are on fewer servers than somebody counts on.",
    "Look at the standbys that are not; or ask for as many as there are.",
  ),
  "member-state": replication(
    "error",
    "A member's PostgreSQL is not running.",
    "There is one member less to fail over to.",
    "The member's log says why.",
  ),
  "timelines-differ": replication(
    "error",
    "A member is on another timeline than the leader.",
    "It has not followed the last change of primary: it may have diverged.",
    "`patronictl reinit`, where it does not catch up by itself.",
  ),
  "pending-restart": replication(
    "warning",
    "A setting waits for a restart of PostgreSQL.",
    "The running configuration is not the written one.",
    "`patronictl restart --pending`.",
  ),
  paused: replication(
    "warning",
    "The cluster is paused.",
    "Patroni does not fail over.",
    "`patronictl resume` once the maintenance is over.",
  ),
  "failsafe-off": replication(
    "warning",
    "`failsafe_mode` is off, with a DCS that is not Kubernetes.",
    "Where the DCS is down, the primary demotes itself although all members are well.",
    "`patronictl edit-config -s failsafe_mode=true`.",
  ),

  "exposed-port": exposure(
    "warning",
    "A LoadBalancer or NodePort leads to PostgreSQL or to Patroni.",
    "Whoever reaches the nodes reaches the database; Patroni's REST API can move the primary.",
    "Limit it with `loadBalancerSourceRanges` or a NetworkPolicy; never expose Patroni.",
  ),
  "no-grace": exposure(
    "error",
    "`terminationGracePeriodSeconds` is 0.",
    "PostgreSQL is killed at once: no clean shutdown, no quick handover, a crash recovery each time.",
    "Leave it at 30 or more.",
  ),
  "no-disruption-budget": exposure(
    "warning",
    "No PodDisruptionBudget covers the members.",
    "A drain may evict all of them at once.",
    "Apply the budget of the fix.",
  ),
  "one-node": exposure(
    "warning",
    "All members run on one node.",
    "The node is a single point of failure.",
    "Spread them: pod anti-affinity or a topology spread constraint.",
  ),
} as const satisfies Record<string, FindingEntry>;

export type FindingCode = keyof typeof FINDINGS;
