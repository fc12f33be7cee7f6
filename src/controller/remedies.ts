import type { ProbeResult } from "../patroni/probe.ts";
import { type Bearer, Breaker } from "./breaker/breaker.ts";
import { keyOf } from "./cluster-key.ts";
import { type PodFacts, podFacts } from "./facts/pod.ts";
import { poolerFacts } from "./facts/pooler.ts";
import type { Journal } from "./journal.ts";
import type { Objects } from "./objects.ts";
import { publishedUids } from "./observer/due.ts";
import type { ControllerOptions } from "./options.ts";
import { type ServingPod, StatusAsker } from "./reload/asker.ts";
import { CertificateKeeper, KEEPER_TIMES } from "./reload/keeper.ts";
import { ReloadWatcher, WATCHER_TIMES } from "./reload/watcher.ts";
import { Repairer } from "./repair/repairer.ts";
import type { Reports } from "./reports.ts";
import { ourSlice } from "./slice/ours.ts";
import { isActive } from "./view.ts";
import type { Views } from "./views.ts";

export interface RemedyParts {
  readonly options: ControllerOptions;
  readonly objects: Objects;
  readonly views: Views;
  readonly reports: Reports;
  readonly journal: Journal;
  ask(pod: PodFacts): Promise<ProbeResult>;
}

/** What is begun with the controller, and ended with it. */
export interface Remedy {
  start(): void;
  stop(): Promise<void>;
}

/**
 * What is done about pods, beside the objects of their cluster, as it was chosen: suspending sidecars, restarting pods, and looking
 * after their reload APIs.
 */
export const remedies = (parts: RemedyParts): Remedy[] => [
  ...breaker(parts),
  ...repairer(parts),
  ...certificates(parts),
  ...reloads(parts),
];

function breaker({ options, objects, views }: RemedyParts): Breaker[] {
  const { suspensions, settings, logger } = options;
  if (suspensions === undefined) return [];
  return [
    new Breaker({
      suspensions,
      objects,
      pods: () => bearersOf(views),
      read: async (namespace) =>
        (await objects.list("pods", namespace)).flatMap(
          (pod) => podFacts(pod, settings) ?? poolerFacts(pod, settings) ?? [],
        ),
      isPrimary: (pod) => "settings" in pod && isPrimary(views, pod),
      image: settings.sidecar.image,
      logger,
    }),
  ];
}

function repairer({ options, objects, views, reports, journal, ask }: RemedyParts): Repairer[] {
  if (options.repair !== "evict") return [];
  return [
    new Repairer({
      objects,
      clusters: () => views.where(({ enabled }) => enabled),
      view: (key) => views.of(key),
      ask,
      found: (key, view, findings) => reports.update(key, "repair", view, findings),
      evicted: (result) => journal.evicted(result),
      logger: options.logger,
    }),
  ];
}

/** Every pod that should have a sidecar. */
function certificates({ options, objects, views, reports }: RemedyParts): CertificateKeeper[] {
  const { reload, settings, logger } = options;
  if (reload === undefined) return [];
  return [
    new CertificateKeeper({
      objects,
      authorities: reload.authorities,
      clusterDomain: settings.clusterDomain,
      clusters: () => views.where(isActive),
      found: (key, view, findings) => reports.update(key, "reload", view, findings),
      now: () => reload.now(),
      logger,
      times: { ...KEEPER_TIMES, ...reload.times },
    }),
  ];
}

function reloads({ options, objects, views, journal }: RemedyParts): ReloadWatcher[] {
  const { reload, identity, logger } = options;
  const token = reload?.token;
  if (reload === undefined || token === undefined) return [];
  const asker = new StatusAsker(objects, () => token(), reload.port);
  return [
    new ReloadWatcher({
      objects,
      pods: () => servingReloads(views),
      ask: (pod) => journal.looked(asker.ask(pod)),
      identity,
      logger,
      times: { ...WATCHER_TIMES, ...reload.times },
    }),
  ];
}

function* servingReloads(views: Views): Generator<ServingPod> {
  const members = [...views.where(isActive)].flatMap(([, view]) => view.members);
  for (const pod of [...members, ...views.poolers()])
    if (pod.reloadApi !== undefined && pod.container?.health === "running" && !pod.ended) yield pod;
}

function* bearersOf(views: Views): Generator<Bearer> {
  for (const [, view] of views.where(({ enabled }) => enabled)) yield* view.members;
  yield* views.poolers();
}

/** Clients are led to the pod. */
function isPrimary(views: Views, { namespace, settings, uid }: PodFacts): boolean {
  const view = views.of(keyOf({ namespace, scope: settings.scope }));
  return view !== undefined && publishedUids(ourSlice(view) ?? {}).includes(uid);
}
