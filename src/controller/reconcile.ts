import { setTimeout as delay } from "node:timers/promises";
import { clusterLabelValue } from "../contract/cluster-names.ts";
import { CLUSTER_IP_ANNOTATION } from "../contract/slice-annotations.ts";
import type { JsonObject } from "../json/value.ts";
import { isTerminating } from "../kube/error.ts";
import type { Choices } from "./choices.ts";
import { findings } from "./desired/findings.ts";
import { headlessService } from "./desired/headless-service.ts";
import { networkChoice, networkPolicy } from "./desired/network-policy.ts";
import type { Desired } from "./desired/object.ts";
import { patroniAccess } from "./desired/patroni-access.ts";
import { peerAuthentication } from "./desired/peer-authentication.ts";
import { poolerAccess } from "./desired/pooler-access.ts";
import { primaryService } from "./desired/primary-service.ts";
import { ensure } from "./ensure.ts";
import { isCode } from "./objects.ts";
import { expectation } from "./prune/expectation.ts";
import { type Place, prune } from "./prune/prune.ts";
import { type KeepParts, keepSlice } from "./slice/keep.ts";
import type { KeptSlices } from "./slice/kept.ts";
import { memoryOf, recall, type SliceMemory } from "./slice/memory.ts";
import { notedAccess } from "./slice/noted-access.ts";
import { ourSlice } from "./slice/ours.ts";
import type { ClusterView, Finding } from "./view.ts";
import { isActive } from "./view.ts";

/** Where the controller runs, and what is around it. */
export interface ControllerSurroundings {
  readonly ownNamespace: string;
  /** Asked at each look at a cluster: they may change. */
  apiServerAddresses(): readonly string[];
}

export interface ReconcileParts extends KeepParts {
  readonly kept: KeptSlices;
  readonly choices: Choices;
  /** Told of what was taken away, or begins to wait for that. */
  pruned(what: "remove" | "mark" | "unmark", object: string): void;
  readonly surroundings: ControllerSurroundings;
}

/**
 * Brings the objects of one cluster to where they should be, writing only what differs. What one object's failure does not
 * concern is done all the same; the failures are thrown together at the end. The slice comes last, for it needs the Service. What
 * cannot be made because the namespace is being deleted is left at that: its pods' deletion, and its own, will be told.
 *
 * @returns what somebody should know of the cluster; undefined where it is not ours to work on
 */
export async function reconcile(parts: ReconcileParts): Promise<Finding[] | undefined> {
  const view = parts.view();
  if (view === undefined) return undefined;
  const slice = ourSlice(view);
  if (slice !== undefined) parts.kept.seen(slice);
  if (!isActive(view)) {
    await leaveAlone(parts, view, slice);
    return undefined;
  }
  const failures: unknown[] = [];
  const attempt = async (work: Promise<unknown>): Promise<void> => {
    await work.catch((error: unknown) => {
      if (!isTerminating(error)) failures.push(error);
    });
  };
  const memory = slice === undefined ? recall(view, parts.kept.of(view)) : memoryOf(slice);
  const wanted = [
    headlessService(view),
    peerAuthentication(view),
    ...notedAccess(view, memory),
    ...poolerAccess(view),
    wantedNetworkPolicy(parts, view),
    ...(parts.choices.rbac.patroni ? patroniAccess(view) : []),
  ];
  await attempt(ensurePrimaryService(parts, view, memory));
  for (const each of wanted) {
    if (each !== undefined) await attempt(ensure(parts, each));
  }
  const found = findings(view);
  await attempt(keepSlice(parts, memory).then((more) => found.push(...more)));
  if (failures.length === 0) await attempt(prune(parts, placeOf(view), expectation(view, wanted)));
  if (failures.length > 0)
    throw failures.length === 1 ? failures[0] : new AggregateError(failures, textOf(failures));
  return found;
}

/**
 * A cluster that has opted out, and whose pods no longer carry anything of ours: a slice that is there still leads clients, and is
 * kept right until somebody takes it away; all else that no pod needs goes.
 */
async function leaveAlone(
  parts: ReconcileParts,
  view: ClusterView,
  slice: JsonObject | undefined,
): Promise<void> {
  if (slice !== undefined) await keepSlice(parts, memoryOf(slice));
  await prune(parts, placeOf(view), { wanted: new Set(), known: new Set() });
}

const placeOf = ({ namespace, scope }: ClusterView): Place => ({
  namespace,
  cluster: clusterLabelValue(scope),
});

/**
 * For so long a deleted Service's address may be taken still: the API server tells of the deletion before it gives the address back.
 * Milliseconds.
 */
const ADDRESS_FREE_AFTER_MS = [50, 100, 200, 400, 800];

function wantedNetworkPolicy(
  { choices, caches, surroundings }: ReconcileParts,
  view: ClusterView,
): Desired | undefined {
  const choice = networkChoice(choices.networkPolicies, view.namespace);
  if (choice === undefined) return undefined;
  const { ownNamespace, apiServerAddresses } = surroundings;
  const dataplaneMode = caches.dataplaneMode(view.namespace);
  return networkPolicy(view, choice, { ownNamespace, apiServer: apiServerAddresses(), dataplaneMode });
}

/** A Service that was deleted comes back with the address that it had, unless that was given away. */
async function ensurePrimaryService(
  parts: ReconcileParts,
  view: ClusterView,
  { annotations }: SliceMemory,
): Promise<void> {
  const clusterIP = annotations[CLUSTER_IP_ANNOTATION];
  const wanted = primaryService(view, view.primaryService === undefined ? clusterIP : undefined);
  if (wanted === undefined || !view.settings.discovery) return;
  for (const pauseMs of clusterIP === undefined ? [] : ADDRESS_FREE_AFTER_MS) {
    try {
      return await ensure(parts, wanted);
    } catch (error) {
      if (!isCode(error, 422)) throw error;
      await delay(pauseMs);
    }
  }
  const anywhere = primaryService(view, undefined);
  if (anywhere !== undefined) await ensure(parts, anywhere);
}

const textOf = (failures: readonly unknown[]): string =>
  failures.map((failure) => (failure instanceof Error ? failure.message : String(failure))).join("; ");
