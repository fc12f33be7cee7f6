import { clusterLabelValue } from "../contract/cluster-names.ts";
import type { KubeConnection } from "../kube/connection.ts";
import { API_SERVER_ENDPOINTS } from "../patroni/leader-object.ts";
import { Caches } from "./caches.ts";
import { NO_CHOICES } from "./choices.ts";
import { readKey } from "./cluster-key.ts";
import type { PodFacts } from "./facts/pod.ts";
import { leaderOf } from "./gather.ts";
import { INDEX, LEADER, MADE } from "./indexes.ts";
import { Journal, type Pruned } from "./journal.ts";
import { measure } from "./measure.ts";
import { Objects } from "./objects.ts";
import { Observer } from "./observer/observer.ts";
import { PatroniAsker } from "./observer/patroni.ts";
import type { ControllerOptions } from "./options.ts";
import { isPresent, prune } from "./prune/prune.ts";
import { Queue } from "./queue.ts";
import { type ControllerSurroundings, reconcile } from "./reconcile.ts";
import { type Remedy, remedies } from "./remedies.ts";
import { Reports } from "./reports.ts";
import { KeptSlices } from "./slice/kept.ts";
import { isServed } from "./slice/ours.ts";
import { sweep } from "./slice/sweep.ts";
import { Views } from "./views.ts";

/** Clusters that are looked at in parallel. */
const WORKERS = 16;

/** No call to the API server takes longer. Milliseconds. */
const CALL_MS = 10_000;

/** A cluster that failed is looked at again soon: tampering is to be repaired within seconds, whatever else fails. */
const RETRY = { firstPauseMs: 100, longestPauseMs: 4000 };

/** Every cluster is looked at this often even where nothing seems to have changed. Milliseconds. */
const RESYNC_MS = 300_000;

const SYNC_POLL_MS = 20;

/**
 * Keeps the objects of every Patroni cluster as they should be, and writes for the members that cannot. One process at a time
 * should; a second one does no harm, for every write rests on what was read.
 */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #caches: Caches;
  readonly #objects: Objects;
  readonly #queue: Queue;
  readonly #observer: Observer;
  readonly #reports: Reports;
  readonly #journal: Journal;
  readonly #remedies: readonly Remedy[];
  readonly #unsubscribe: (() => void) | undefined;
  readonly #kept = new KeptSlices();
  readonly #views: Views;
  #timer: NodeJS.Timeout;
  #synced = false;

  /** Begins at once; nothing is written before everything was read. */
  constructor(connection: KubeConnection, options: ControllerOptions) {
    const { logger, metrics, settings, suspensions, times, choices = NO_CHOICES } = options;
    this.#options = options;
    this.#journal = new Journal(logger, metrics);
    this.#objects = new Objects(connection, CALL_MS);
    this.#reports = new Reports(this.#objects, options.identity, logger);
    this.#queue = new Queue({
      workers: WORKERS,
      times: RETRY,
      work: (key) => this.#work(key),
      onFailure: (key, error, pauseMs) => this.#journal.failed(key, error, pauseMs),
    });
    const patroni = new PatroniAsker(this.#objects);
    const ask = (pod: PodFacts) => this.#journal.asked(patroni.ask(pod));
    this.#observer = new Observer({
      objects: this.#objects,
      clusters: () => this.#views.where(isServed),
      ask,
      dcsBy: (pod) => patroni.dcsBy(pod),
      seen: (slice) => this.#caches.slices.take(slice),
      wrote: (key, pod, result) => this.#journal.wrote(key, pod, result),
      found: (key, view, findings) => this.#reports.update(key, "members", view, findings),
    });
    this.#unsubscribe = suspensions?.onChange((namespaces) => this.#changed(namespaces.map(INDEX.namespace)));
    this.#caches = new Caches(connection, {
      settings,
      namespaces: options.namespaces,
      accessIn: choices.rbac.patroni ? [API_SERVER_ENDPOINTS.namespace] : [],
      networkPolicies: choices.networkPolicies.length > 0,
      changed: (indexes) => this.#changed(indexes),
      istioSeen: () => this.resync(),
      sliceSeen: (slice) => this.#kept.seen(slice),
      onInterrupted: (resource, error, pauseMs) => {
        if (resource === "endpoints" || resource === "configmaps") this.#observer.leadersLost();
        this.#journal.interrupted(resource, error, pauseMs);
      },
      ...(times === undefined ? {} : { times }),
    });
    const { port: sidecarPort, image: sidecarImage } = settings.sidecar;
    this.#views = new Views(this.#caches, (namespace) => ({
      openshift: options.openshift(),
      sidecarPort,
      sidecarImage,
      suspension: suspensions?.of(namespace),
    }));
    this.#remedies = remedies({
      options,
      objects: this.#objects,
      views: this.#views,
      reports: this.#reports,
      journal: this.#journal,
      ask,
    });
    this.#timer = setInterval(() => this.#begin(), SYNC_POLL_MS);
  }

  /** True once everything was read. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Clusters that wait to be looked at, are being looked at, or pause after a failure. */
  get depth(): number {
    return this.#queue.depth;
  }

  /** Looks at every cluster anew. */
  resync(): void {
    if (!this.#synced) return;
    this.#views.touchAll();
    for (const key of this.#views.keys()) this.#queue.add(key);
    for (const key of this.#caches.remains()) this.#queue.add(key);
  }

  /** Brings the gauges up to date. */
  measure(): void {
    const { metrics, suspensions } = this.#options;
    measure(metrics, { views: this.#views, reports: this.#reports, suspensions, queueDepth: this.depth });
  }

  /** Resolves when nothing is read or written any more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#unsubscribe?.();
    const parts = [this.#caches, this.#observer, this.#queue, ...this.#remedies];
    await Promise.all(parts.map((part) => part.stop()));
  }

  #begin(): void {
    if (!this.#caches.synced()) return;
    this.#synced = true;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.resync(), RESYNC_MS);
    this.resync();
    this.#journal.started(this.#views.keys().length, this.#queue.idle());
    this.#observer.start();
    for (const remedy of this.#remedies) remedy.start();
  }

  #changed(indexes: readonly string[]): void {
    if (!this.#synced) return;
    for (const index of indexes) {
      const concerned = this.#views.concernedBy(index);
      if (index.startsWith(MADE) && concerned.length === 0) this.#queue.add(index.slice(MADE.length));
      for (const key of concerned) {
        if (index.startsWith(LEADER)) this.#leaderChanged(key);
        else this.#touch(key);
      }
    }
  }

  #touch(key: string): void {
    this.#views.touch(key);
    this.#queue.add(key);
  }

  async #work(key: string): Promise<void> {
    const view = this.#views.of(key);
    const parts = {
      objects: this.#objects,
      caches: this.#caches,
      kept: this.#kept,
      choices: this.#options.choices ?? NO_CHOICES,
      pruned: (what: Pruned, object: string) => this.#journal.pruned(key, what, object),
      surroundings: this.#options.surroundings ?? UNKNOWN_SURROUNDINGS,
      view: () => this.#views.of(key),
    };
    if (view === undefined) {
      this.#forget(key);
      const { namespace, scope } = readKey(key);
      const place = { namespace, cluster: clusterLabelValue(scope) };
      if (isPresent(this.#caches, place)) return; // its scope is no label: it has another key
      await sweep(parts, this.#caches.slices.find(INDEX.made(namespace, scope)));
      await prune(parts, place, { wanted: new Set(), known: new Set() });
      return;
    }
    this.#leaderChanged(key);
    const findings = await reconcile(parts);
    this.#journal.reconciled();
    if (findings !== undefined) this.#reports.update(key, "objects", view, findings);
  }

  #leaderChanged(key: string): void {
    const view = this.#views.of(key);
    if (view === undefined) return;
    const leader = leaderOf(this.#caches, view.namespace, view.settings.leaderObject);
    this.#observer.leaderSeen(key, leader);
  }

  #forget(key: string): void {
    this.#views.forget(key);
    this.#observer.forget(key);
    this.#reports.forget(key);
  }
}

const UNKNOWN_SURROUNDINGS: ControllerSurroundings = {
  ownNamespace: "default",
  apiServerAddresses: () => [],
};
