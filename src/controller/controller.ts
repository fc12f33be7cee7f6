import { clusterLabelValue } from "../contract/cluster-names.ts";
import type { InjectionSettings } from "../injection/settings.ts";
import type { KubeConnection } from "../kube/connection.ts";
import type { WatchTimes } from "../kube/watch.ts";
import { API_SERVER_ENDPOINTS } from "../patroni/leader-object.ts";
import type { RoundResult } from "../primary/round.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { Breaker } from "./breaker/breaker.ts";
import type { SuspensionWatch } from "./breaker/watch.ts";
import { Caches, INDEX, LEADER, MADE } from "./caches.ts";
import { type Choices, NO_CHOICES } from "./choices.ts";
import { keyOf, readKey } from "./cluster-key.ts";
import { type PodFacts, podFacts } from "./facts/pod.ts";
import { leaderOf } from "./gather.ts";
import { measure } from "./measure.ts";
import { Objects } from "./objects.ts";
import { publishedUids } from "./observer/due.ts";
import { Observer } from "./observer/observer.ts";
import { PatroniAsker } from "./observer/patroni.ts";
import { isPresent, prune } from "./prune/prune.ts";
import { Queue } from "./queue.ts";
import { type ControllerSurroundings, reconcile, sweep } from "./reconcile.ts";
import { Repairer } from "./repair/repairer.ts";
import { Reports } from "./reports.ts";
import { KeptSlices } from "./slice/kept.ts";
import { isServed, ourSlice } from "./slice/ours.ts";
import { Views } from "./views.ts";

export interface ControllerOptions {
  readonly settings: InjectionSettings;
  /** Asked at each look at a cluster: it may not be known at the start. */
  openshift(): boolean;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Who we are, in Events. */
  readonly identity: string;
  /** What is known of suspended sidecars; without it none ever is. */
  readonly suspensions?: SuspensionWatch;
  /** What is done about pods that are not injected: `evict` restarts them. Default: nothing. */
  readonly repair?: "none" | "evict";
  /** Where to work. Default: everywhere. */
  readonly namespaces?: readonly string[];
  /** Default: nothing beside what every cluster gets. */
  readonly choices?: Choices;
  /** Default: nothing of them is known. */
  readonly surroundings?: ControllerSurroundings;
  readonly times?: Partial<WatchTimes>;
}

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
  readonly #breaker: Breaker | undefined;
  readonly #repairer: Repairer | undefined;
  readonly #unsubscribe: (() => void) | undefined;
  readonly #kept = new KeptSlices();
  readonly #views: Views;
  #timer: NodeJS.Timeout;
  #synced = false;

  /** Begins at once; nothing is written before everything was read. */
  constructor(connection: KubeConnection, options: ControllerOptions) {
    const { logger, settings, times, choices = NO_CHOICES } = options;
    this.#options = options;
    this.#objects = new Objects(connection, CALL_MS);
    this.#reports = new Reports(this.#objects, options.identity, logger);
    this.#queue = new Queue({
      workers: WORKERS,
      times: RETRY,
      work: (key) => this.#work(key),
      onFailure: (key, error, pauseMs) => this.#failed(key, error, pauseMs),
    });
    const patroni = new PatroniAsker(this.#objects);
    this.#observer = new Observer({
      objects: this.#objects,
      clusters: () => this.#views.where(isServed),
      ask: (pod) => this.#counted(patroni.ask(pod)),
      dcsBy: (pod) => patroni.dcsBy(pod),
      seen: (slice) => this.#caches.slices.take(slice),
      wrote: (key, pod, result) => this.#wrote(key, pod, result),
      found: (key, view, findings) => this.#reports.update(key, "members", view, findings),
    });
    const { suspensions, repair } = options;
    this.#breaker =
      suspensions &&
      new Breaker({
        suspensions,
        objects: this.#objects,
        members: () => this.#members(),
        read: async (namespace) =>
          (await this.#objects.list("pods", namespace)).flatMap((pod) => podFacts(pod, settings) ?? []),
        isPrimary: (pod) => this.#isPrimary(pod),
        image: settings.sidecar.image,
        logger,
      });
    this.#unsubscribe = suspensions?.onChange((namespaces) => this.#changed(namespaces.map(INDEX.namespace)));
    if (repair === "evict")
      this.#repairer = new Repairer({
        objects: this.#objects,
        clusters: () => this.#views.where(({ enabled }) => enabled),
        view: (key) => this.#views.of(key),
        ask: (pod) => this.#counted(patroni.ask(pod)),
        found: (key, view, findings) => this.#reports.update(key, "repair", view, findings),
        evicted: (result) => options.metrics.evictions.inc({ result }),
        logger,
      });
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
        logger.warn({ resource, error: textOf(error), pauseMs: Math.round(pauseMs) }, "watch interrupted");
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
    const parts = [this.#caches, this.#observer, this.#queue, this.#breaker, this.#repairer];
    await Promise.all(parts.map((part) => part?.stop()));
  }

  #begin(): void {
    if (!this.#caches.synced()) return;
    this.#synced = true;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.resync(), RESYNC_MS);
    const { logger } = this.#options;
    const clusters = this.#views.keys().length;
    const began = performance.now();
    logger.info({ clusters }, "controller started");
    this.resync();
    void this.#queue.idle().then(() => {
      const seconds = Math.round(performance.now() - began) / 1000;
      logger.info({ clusters, seconds }, "all clusters are as they should be");
    });
    this.#observer.start();
    this.#breaker?.start();
    this.#repairer?.start();
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
      pruned: (what: keyof typeof PRUNED, object: string) =>
        this.#options.logger.info({ cluster: key, object }, PRUNED[what]),
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
    this.#options.metrics.controllerReconciles.inc({ result: "success" });
    if (findings !== undefined) this.#reports.update(key, "objects", view, findings);
  }

  #failed(key: string, error: unknown, pauseMs: number): void {
    const { logger, metrics } = this.#options;
    metrics.controllerReconciles.inc({ result: "failure" });
    const pause = Math.round(pauseMs);
    logger.warn({ cluster: key, error: textOf(error), pauseMs: pause }, "cluster not as it should be yet");
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

  *#members(): Generator<PodFacts> {
    for (const [, view] of this.#views.where(({ enabled }) => enabled)) yield* view.members;
  }

  #isPrimary({ namespace, settings, uid }: PodFacts): boolean {
    const view = this.#views.of(keyOf({ namespace, scope: settings.scope }));
    return view !== undefined && publishedUids(ourSlice(view) ?? {}).includes(uid);
  }

  async #counted<Result extends { kind: string }>(asking: Promise<Result>): Promise<Result> {
    const result = await asking;
    this.#options.metrics.controllerObservations.inc({ outcome: result.kind });
    return result;
  }

  #wrote(key: string, pod: PodFacts, result: RoundResult): void {
    const { logger, metrics } = this.#options;
    const about = { cluster: key, pod: pod.name };
    if (result.kind === "failed") {
      logger.warn({ ...about, during: result.during, error: textOf(result.error) }, "cannot keep the slice");
    }
    if (result.kind !== "wrote" || result.verdict.kind === "rest") return;
    metrics.controllerPublications.inc({ kind: result.verdict.kind });
    logger.info({ ...about, ...result.verdict }, "slice written for a member");
  }
}

/** What the log says of what was done to an object that may be of no use any more. */
const PRUNED = {
  remove: "removed: nothing needs it any more",
  mark: "unused: to be removed in a day",
  unmark: "used again",
} as const;

const UNKNOWN_SURROUNDINGS: ControllerSurroundings = {
  ownNamespace: "default",
  apiServerAddresses: () => [],
};

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
