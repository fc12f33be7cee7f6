import { MANAGED_BY, MANAGED_BY_LABEL, NAMESPACE_LABEL } from "../contract/names.ts";
import type { InjectionSettings, PodSelector } from "../injection/settings.ts";
import type { JsonObject } from "../json/value.ts";
import type { KubeConnection } from "../kube/connection.ts";
import { isForbidden } from "../kube/error.ts";
import { type Watcher, type WatchTimes, watchResource } from "../kube/watch.ts";
import { DATAPLANE_MODE } from "./desired/network-policy.ts";
import { type EndpointsFacts, endpointsFacts } from "./facts/endpoints.ts";
import { type LeaderFacts, leaderFacts } from "./facts/leader.ts";
import { type PodFacts, podFacts } from "./facts/pod.ts";
import { type PoolerFacts, poolerFacts } from "./facts/pooler.ts";
import { labelOf, slim, slimSlice } from "./facts/slim.ts";
import { type TemplateFacts, templateFacts } from "./facts/template.ts";
import { INDEX, indexesOf, MADE } from "./indexes.ts";
import { isCode } from "./objects.ts";
import type { Made } from "./prune/verdict.ts";
import { collectionPath, type ResourceName } from "./resources.ts";
import { Watched } from "./watched.ts";

/** What is applied, bindings before what they bind. */
const APPLIED = ["rolebindings", "roles", "peerauthentications", "networkpolicies", "services"] as const;

export interface CacheOptions {
  readonly settings: InjectionSettings;
  /** Where to look. Default: everywhere. */
  readonly namespaces?: readonly string[] | undefined;
  /** Where else permissions of ours may stand. */
  readonly accessIn?: readonly string[];
  /** Whether NetworkPolicies are looked at. */
  readonly networkPolicies: boolean;
  /** Told what objects changed, by what they are found by. */
  changed(indexes: readonly string[]): void;
  /** Istio's kind is served, which it was not before: every cluster is concerned. */
  istioSeen(): void;
  /** Every state of every slice that a watch shows, the last one before it was deleted among them. */
  sliceSeen(slice: JsonObject): void;
  /** A watch of this resource was interrupted: what happened meanwhile may never be known. */
  onInterrupted(resource: ResourceName, error: unknown, pauseMs: number): void;
  readonly times?: Partial<WatchTimes>;
}

/** All that the controller sees, kept up to date by watches, reduced to what it needs. */
export class Caches {
  readonly namespaces: Watched<JsonObject>;
  /** One for each pod selector; a pod that several select is in several. */
  readonly pods: readonly Watched<PodFacts>[];
  /** The same of the poolers' selectors. */
  readonly poolers: readonly Watched<PoolerFacts>[];
  readonly templates: Watched<TemplateFacts>;
  readonly services: Watched<JsonObject>;
  readonly slices: Watched<JsonObject>;
  readonly endpoints: Watched<EndpointsFacts>;
  readonly leaders: readonly Watched<LeaderFacts>[];
  readonly roles: Watched<JsonObject>;
  readonly roleBindings: Watched<JsonObject>;
  readonly peerAuthentications: Watched<JsonObject>;
  /** Ours; empty where none are wanted. */
  readonly networkPolicies: Watched<JsonObject>;
  readonly #options: CacheOptions;
  readonly #connection: KubeConnection;
  readonly #required: Watcher[] = [];
  readonly #istio: readonly Watcher[];
  #hasIstio = false;

  constructor(connection: KubeConnection, options: CacheOptions) {
    this.#connection = connection;
    this.#options = options;
    const { settings, changed } = options;
    const watched = <Fact>(
      reduce: (object: JsonObject) => Fact | undefined,
      indexOf: (fact: Fact) => readonly string[],
    ) => new Watched<Fact>(reduce, indexOf, changed);
    this.namespaces = watched(slim, indexesOf.namespace);
    this.pods = settings.selectors.map(() => watched((pod) => podFacts(pod, settings), indexesOf.member));
    this.poolers = settings.poolerSelectors.map(() =>
      watched((pod) => poolerFacts(pod, settings), indexesOf.pooler),
    );
    this.templates = watched((set) => templateFacts(set, settings), indexesOf.member);
    this.services = watched(slim, indexesOf.service);
    this.slices = watched(slimSlice, indexesOf.slice);
    this.endpoints = watched(endpointsFacts, indexesOf.endpoints);
    this.leaders = settings.selectors.map(() => watched(leaderFacts, indexesOf.configMap));
    this.roles = watched(slim, indexesOf.made);
    this.roleBindings = watched(slim, indexesOf.made);
    this.networkPolicies = watched(slim, indexesOf.made);
    this.peerAuthentications = watched(slim, indexesOf.peerAuthentication);

    const mine = `${MANAGED_BY_LABEL}=${MANAGED_BY}`;
    this.#require("namespaces", this.namespaces);
    for (const [index, selector] of settings.selectors.entries()) {
      this.#require("pods", this.pods[index], textOf(selector));
      this.#require("configmaps", this.leaders[index], textOf(selector));
    }
    for (const [index, selector] of settings.poolerSelectors.entries())
      this.#require("pods", this.poolers[index], textOf(selector));
    this.#require("statefulsets", this.templates);
    this.#require("services", this.services);
    this.#required.push(
      ...this.#watch(
        "endpointslices",
        (part) => ({
          ...part,
          apply: (type, slice) => {
            options.sliceSeen(slice);
            part.apply(type, slice);
          },
        }),
        this.slices,
      ),
    );
    this.#require("endpoints", this.endpoints);
    this.#require("roles", this.roles, mine);
    this.#require("rolebindings", this.roleBindings, mine);
    if (options.networkPolicies) this.#require("networkpolicies", this.networkPolicies, mine);
    this.#istio = this.#watch(
      "peerauthentications",
      (part) => ({
        ...part,
        replace: (entries) => {
          part.replace(entries);
          if (this.#hasIstio) return;
          this.#hasIstio = true;
          options.istioSeen();
        },
      }),
      this.peerAuthentications,
    );
  }

  /** True once everything was read that decisions rest on, but for what we may not read. */
  synced(): boolean {
    return this.#required.every((watcher) => watcher.synced() || watcher.forbidden());
  }

  /** Istio's kind is served; it may come at any time. */
  get hasIstio(): boolean {
    return this.#hasIstio;
  }

  /** The namespace has the label that opts it in. */
  isEnabled(namespace: string): boolean {
    return labelOf(this.namespaces.get("", namespace), NAMESPACE_LABEL) === "enabled";
  }

  /** The objects of a kind that the controller applies. */
  of(resource: ResourceName): Watched<JsonObject> {
    switch (resource) {
      case "services":
        return this.services;
      case "roles":
        return this.roles;
      case "rolebindings":
        return this.roleBindings;
      case "peerauthentications":
        return this.peerAuthentications;
      case "networkpolicies":
        return this.networkPolicies;
      default:
        throw new Error(`${resource} are not applied`);
    }
  }

  /** Everything that is applied for a cluster. @param cluster the scope, or the value of the cluster's label */
  made(namespace: string, cluster: string): Made[] {
    const index = INDEX.made(namespace, cluster);
    return APPLIED.flatMap((resource) =>
      this.of(resource)
        .find(index)
        .map((object) => ({ resource, object })),
    );
  }

  /** Clusters for which anything of ours is there, by `<namespace>/<value of the cluster's label>`. */
  *remains(): Generator<string> {
    for (const resource of APPLIED) yield* this.#madeIn(this.of(resource));
    yield* this.#madeIn(this.slices);
  }

  *#madeIn(cache: Watched<JsonObject>): Generator<string> {
    for (const index of cache.indexes()) if (index.startsWith(MADE)) yield index.slice(MADE.length);
  }

  /** How Istio carries what pods of the namespace send, as its label says. */
  dataplaneMode(namespace: string): string | undefined {
    return labelOf(this.namespaces.get("", namespace), DATAPLANE_MODE);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#required, ...this.#istio].map((watcher) => watcher.stop()));
  }

  #require<Fact>(resource: ResourceName, target: Watched<Fact> | undefined, labelSelector?: string): void {
    if (target === undefined) return;
    this.#required.push(...this.#watch(resource, (part) => part, target, labelSelector));
  }

  /** Watches everywhere at once, or each namespace by itself. @param keep what keeps such a part of the whole */
  #watch<Fact>(
    resource: ResourceName,
    keep: (part: Part<Fact>) => Part<Fact>,
    target: Watched<Fact>,
    labelSelector?: string,
  ): Watcher[] {
    const { onInterrupted, times } = this.#options;
    return this.#placesOf(resource).map((namespace) =>
      watchResource(this.#connection, {
        path: collectionPath(resource, namespace),
        target: keep(target.within(namespace)),
        ...(labelSelector === undefined ? {} : { labelSelector }),
        ...(times === undefined ? {} : { times }),
        onInterrupted(error, pauseMs) {
          // A cluster without Istio does not serve its kind: that is asked for again and again, and no trouble.
          const isAbsent = resource === "peerauthentications" && (isCode(error, 404) || isForbidden(error));
          if (!isAbsent) onInterrupted(resource, error, pauseMs);
        },
      }),
    );
  }

  /** An empty name stands for all namespaces at once. */
  #placesOf(resource: ResourceName): readonly string[] {
    const { namespaces, accessIn = [] } = this.#options;
    if (namespaces === undefined || resource === "namespaces") return [""];
    const isAccess = resource === "roles" || resource === "rolebindings";
    return [...new Set([...namespaces, ...(isAccess ? accessIn : [])])];
  }
}

/** What a watch of one namespace, or of all, keeps up to date. */
type Part<Fact> = ReturnType<Watched<Fact>["within"]>;

/** As the API takes it in a query. */
const textOf = ({ key, values }: PodSelector): string =>
  values.length === 0 ? key : `${key} in (${values.join(",")})`;
