import { setTimeout as delay } from "node:timers/promises";
import { clusterLabelValue } from "../contract/cluster-names.ts";
import { CLUSTER_IP_ANNOTATION, SKIP_MIRROR_LABEL, TERM_ANNOTATION } from "../contract/slice-annotations.ts";
import { sameJson } from "../json/same.ts";
import { type JsonObject, objectsIn } from "../json/value.ts";
import { isForbidden, isTerminating } from "../kube/error.ts";
import type { Caches } from "./caches.ts";
import type { Choices } from "./choices.ts";
import { access } from "./desired/access.ts";
import { findings } from "./desired/findings.ts";
import { headlessService } from "./desired/headless-service.ts";
import { networkChoice, networkPolicy } from "./desired/network-policy.ts";
import type { Desired } from "./desired/object.ts";
import { patroniAccess } from "./desired/patroni-access.ts";
import { peerAuthentication } from "./desired/peer-authentication.ts";
import { poolerAccess } from "./desired/pooler-access.ts";
import { primaryService } from "./desired/primary-service.ts";
import { holds } from "./differs.ts";
import type { EndpointsFacts } from "./facts/endpoints.ts";
import { annotationOf, metadataOf, nameOf, namespaceOf } from "./facts/slim.ts";
import { isCode, type Objects } from "./objects.ts";
import { expectation } from "./prune/expectation.ts";
import { type Place, prune } from "./prune/prune.ts";
import { inspected } from "./slice/inspect.ts";
import type { KeptSlices } from "./slice/kept.ts";
import { memoryOf, recall, type SliceMemory, withNote } from "./slice/memory.ts";
import { mended } from "./slice/mend.ts";
import { ourSlice } from "./slice/ours.ts";
import { planSlice, resetWanted } from "./slice/plan.ts";
import type { ClusterView, Finding } from "./view.ts";
import { isActive } from "./view.ts";

/** Where the controller runs, and what is around it. */
export interface ControllerSurroundings {
  readonly ownNamespace: string;
  /** Asked at each look at a cluster: they may change. */
  apiServerAddresses(): readonly string[];
}

export interface ReconcileParts {
  readonly objects: Objects;
  readonly caches: Caches;
  readonly kept: KeptSlices;
  readonly choices: Choices;
  /** Told of what was taken away, or begins to wait for that. */
  pruned(what: "remove" | "mark" | "unmark", object: string): void;
  readonly surroundings: ControllerSurroundings;
  /** The cluster as the watches, and the answers to our own writes, show it now. */
  view(): ClusterView | undefined;
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

/** What the sidecars may do, and what their slice says: kept where it outlives both the slice and this process. */
const notedAccess = (view: ClusterView, memory: SliceMemory): Desired[] =>
  access(view).map((each) =>
    each.resource === "roles" ? { ...each, object: withNote(each.object, memory) } : each,
  );

async function ensure({ objects, caches }: ReconcileParts, wanted: Desired): Promise<void> {
  const { resource, name, object } = wanted;
  const cache = caches.of(resource);
  const live = cache.get(namespaceOf(object), name);
  if (live === undefined) cache.take(await objects.create(resource, object));
  else if (!holds(live, contentOf(object))) cache.take(await objects.apply(resource, object, live));
}

/** Without its type, which an object in a list does not say. */
function contentOf({ apiVersion: _apiVersion, kind: _kind, ...content }: JsonObject): JsonObject {
  return content;
}

/** @param memory what a slice that is to be made starts with */
async function keepSlice(parts: ReconcileParts, memory: SliceMemory): Promise<readonly Finding[]> {
  const { objects, caches } = parts;
  const view = parts.view();
  const service = view?.primaryService;
  if (view === undefined || service === undefined || !view.settings.discovery) return [];
  const { step, findings } = planSlice(view, service, memory.annotations);
  switch (step.kind) {
    case "create":
      caches.slices.take(await objects.create("endpointslices", step.slice));
      break;
    case "remove":
      await noteDown(parts, view, step.slice);
      await objects.remove("endpointslices", step.slice);
      caches.slices.forget(step.slice);
      break;
    case "put-aside":
      await putAside(parts, view.namespace, step.endpoints);
      break;
    case "mend":
      await mend(parts, view, service, step.skeleton);
      break;
  }
  return findings;
}

/**
 * Before a slice is deleted: exactly what it says, for it can only be deleted as it was read. Where notes are forbidden it goes
 * all the same: two sources of addresses are a harm that is there, a lost term is one that may come.
 */
async function noteDown(parts: ReconcileParts, view: ClusterView, slice: JsonObject): Promise<void> {
  for (const each of notedAccess(view, memoryOf(slice))) {
    await ensure(parts, each).catch((error: unknown) => {
      if (!isForbidden(error)) throw error;
    });
  }
}

/** Reads the slice, looks at what it says, and replaces it where that is wrong: in this order, as every writer does. */
async function mend(
  { objects, caches }: ReconcileParts,
  view: ClusterView,
  service: JsonObject,
  skeleton: JsonObject,
): Promise<void> {
  const slice = await objects.read("endpointslices", view.namespace, nameOf(skeleton));
  if (slice === undefined) return; // the watch will tell, and it is made anew
  const wish = resetWanted(service, slice);
  const next = mended(await inspected(objects, view.namespace, slice, view.members, wish), skeleton);
  caches.slices.take(sameJson(next, slice) ? slice : await objects.replace("endpointslices", next));
}

/**
 * What is left of a cluster without pods and workloads: its Service and slice stay, for it may come back, but nobody may stand
 * in the slice who does not exist.
 */
export async function sweep(
  { objects, caches }: ReconcileParts,
  slices: readonly JsonObject[],
): Promise<void> {
  for (const seen of slices) {
    const namespace = String(metadataOf(seen).namespace);
    const hasTerm = annotationOf(seen, TERM_ANNOTATION) !== undefined;
    if (objectsIn(seen.endpoints).length === 0 && !hasTerm) continue;
    const slice = await objects.read("endpointslices", namespace, nameOf(seen));
    if (slice === undefined) continue;
    const next = await inspected(objects, namespace, slice, []);
    caches.slices.take(sameJson(next, slice) ? slice : await objects.replace("endpointslices", next));
  }
}

async function putAside({ objects, caches }: ReconcileParts, namespace: string, endpoints: EndpointsFacts) {
  const live = await objects.read("endpoints", namespace, endpoints.name);
  if (live === undefined) return;
  const { name = "", resourceVersion = "", labels } = metadataOf(live);
  const place = { namespace, name: String(name), resourceVersion: String(resourceVersion) };
  const label = SKIP_MIRROR_LABEL.replaceAll("~", "~0").replaceAll("/", "~1");
  const operations = [
    ...(labels === undefined ? [{ op: "add", path: "/metadata/labels", value: {} }] : []),
    { op: "add", path: `/metadata/labels/${label}`, value: "true" },
  ];
  caches.endpoints.take(await objects.patch("endpoints", place, operations));
}

const textOf = (failures: readonly unknown[]): string =>
  failures.map((failure) => (failure instanceof Error ? failure.message : String(failure))).join("; ");
