import type { Caches } from "./caches.ts";
import { readKey } from "./cluster-key.ts";
import { serviceAccountsOf } from "./desired/access.ts";
import type { PoolerFacts } from "./facts/pooler.ts";
import { type GatherOptions, gather } from "./gather.ts";
import { CLUSTER, INDEX } from "./indexes.ts";
import { Interests } from "./interests.ts";
import type { ClusterView } from "./view.ts";

/**
 * What is known of each cluster, gathered when it is asked for and kept until something of it changes: most clusters are looked at
 * every second, and change once in weeks.
 */
export class Views {
  readonly #caches: Caches;
  readonly #options: (namespace: string) => GatherOptions;
  readonly #kept = new Map<string, ClusterView>();
  readonly #interests = new Interests();

  /** @param options asked anew for each cluster that is gathered */
  constructor(caches: Caches, options: (namespace: string) => GatherOptions) {
    this.#caches = caches;
    this.#options = options;
  }

  /** Undefined where nothing of the cluster is left. */
  of(key: string): ClusterView | undefined {
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const place = readKey(key);
    const view = gather(this.#caches, place, this.#options(place.namespace));
    if (view === undefined) return undefined;
    this.#kept.set(key, view);
    this.#interests.set(key, interestsOf(view));
    return view;
  }

  /** Every cluster that has pods or workloads. */
  keys(): string[] {
    const indexes = [...this.#caches.pods, this.#caches.templates].flatMap((cache) => [...cache.indexes()]);
    return [...new Set(indexes)].flatMap((index) => clusterIn(index) ?? []);
  }

  *where(is: (view: ClusterView) => boolean): Generator<readonly [key: string, view: ClusterView]> {
    for (const key of this.keys()) {
      const view = this.of(key);
      if (view !== undefined && is(view)) yield [key, view];
    }
  }

  /** Every pooler of a namespace that has opted in, whether or not its cluster is there. */
  *poolers(): Generator<PoolerFacts> {
    for (const cache of this.#caches.poolers)
      for (const pooler of cache.values()) if (this.#caches.isEnabled(pooler.namespace)) yield pooler;
  }

  /** Which clusters want to know of a change, by an index of what has changed: its own, and those that use it. */
  concernedBy(index: string): string[] {
    const own = clusterIn(index);
    return [...new Set([...(own === undefined ? [] : [own]), ...this.#interests.of(index)])];
  }

  /** Something of it has changed. */
  touch(key: string): void {
    this.#kept.delete(key);
  }

  /** Anything may have changed. */
  touchAll(): void {
    this.#kept.clear();
  }

  /** Nothing of it is left. */
  forget(key: string): void {
    this.#kept.delete(key);
    this.#interests.set(key, []);
  }
}

const clusterIn = (index: string): string | undefined =>
  index.startsWith(CLUSTER) ? index.slice(CLUSTER.length) : undefined;

function interestsOf(view: ClusterView): string[] {
  const { namespace, scope, settings } = view;
  const { primaryService, headlessService, leaderObject } = settings;
  return [
    INDEX.namespace(namespace),
    INDEX.made(namespace, scope),
    INDEX.service(namespace, primaryService),
    INDEX.service(namespace, headlessService),
    // Another cluster that begins, or ends, to use one of these shares it.
    ...serviceAccountsOf(view).map((account) => INDEX.account(namespace, account)),
    ...(leaderObject === undefined ? [] : [INDEX.leader(namespace, leaderObject)]),
  ];
}
