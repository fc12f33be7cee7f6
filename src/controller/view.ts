import type { ClusterReason } from "../contract/reasons.ts";
import type { JsonObject } from "../json/value.ts";
import type { Suspension } from "./breaker/suspension.ts";
import type { EndpointsFacts } from "./facts/endpoints.ts";
import type { MemberSettings } from "./facts/member.ts";
import type { PodFacts } from "./facts/pod.ts";
import type { PoolerFacts } from "./facts/pooler.ts";
import type { TemplateFacts } from "./facts/template.ts";

/** Everything that is known of one Patroni cluster at one moment, gathered from the watches. A value. */
export interface ClusterView {
  readonly namespace: string;
  readonly scope: string;
  /** The namespace has opted in. */
  readonly enabled: boolean;
  /** Sorted by name. */
  readonly members: readonly PodFacts[];
  readonly templates: readonly TemplateFacts[];
  /** Pods with PgBouncer and no Patroni that lead to it, sorted by name. They alone make no cluster. */
  readonly poolers: readonly PoolerFacts[];
  /** What counts for the cluster as a whole: of the first member or, before there is one, of the first template. */
  readonly settings: MemberSettings;
  readonly headlessService: JsonObject | undefined;
  readonly primaryService: JsonObject | undefined;
  /** All slices of the primary Service, and the one with our slice's name. */
  readonly slices: readonly JsonObject[];
  /** The Endpoints object of the primary Service's name. */
  readonly endpoints: EndpointsFacts | undefined;
  /** The Roles that we made for this cluster. */
  readonly roles: readonly JsonObject[];
  /** ServiceAccounts of this cluster that other clusters of the namespace use too. */
  readonly sharedServiceAccounts: readonly string[];
  /** All of the namespace; undefined where there is no Istio. */
  readonly peerAuthentications: readonly JsonObject[] | undefined;
  readonly openshift: boolean;
  /** The sidecar's port, as configured. */
  readonly sidecarPort: number;
  /** The sidecar's image, as configured. */
  readonly sidecarImage: string;
  /** Why pods of the namespace get no sidecar for now. */
  readonly suspension: Suspension | undefined;
}

/** Something about a cluster that somebody should know. */
export interface Finding {
  readonly reason: ClusterReason | "sidecar-suspended";
  readonly detail: string;
}

/** What each member and each template says. */
export const allSettings = (view: ClusterView): MemberSettings[] => [
  ...view.members.map(({ settings }) => settings),
  ...view.templates.map(({ settings }) => settings),
];

/**
 * Work goes on in a namespace that has opted in, and for a cluster whose pods carry our sidecar: opting out only stops new
 * injections, and nobody else would serve those pods.
 */
export const isActive = (view: ClusterView): boolean =>
  view.enabled || view.members.some(({ sidecar }) => sidecar !== "absent");

/** Numbers, each once, in order. */
export const distinct = (numbers: readonly number[]): number[] =>
  [...new Set(numbers)].sort((one, other) => one - other);
