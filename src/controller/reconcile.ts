import { SKIP_MIRROR_LABEL, TERM_ANNOTATION } from "../contract/slice-annotations.ts";
import { sameJson } from "../json/same.ts";
import { type JsonObject, objectsIn } from "../json/value.ts";
import type { Caches } from "./caches.ts";
import { access } from "./desired/access.ts";
import { findings } from "./desired/findings.ts";
import { headlessService } from "./desired/headless-service.ts";
import type { Desired } from "./desired/object.ts";
import { peerAuthentication } from "./desired/peer-authentication.ts";
import { primaryService } from "./desired/primary-service.ts";
import { holds } from "./differs.ts";
import type { EndpointsFacts } from "./facts/endpoints.ts";
import { annotationOf, metadataOf, nameOf } from "./facts/slim.ts";
import { isCode, type Objects } from "./objects.ts";
import { inspected } from "./slice/inspect.ts";
import type { KeptSlices } from "./slice/kept.ts";
import { mended } from "./slice/mend.ts";
import { ourSlice } from "./slice/ours.ts";
import { planSlice, resetWanted } from "./slice/plan.ts";
import type { ClusterView, Finding } from "./view.ts";
import { isActive } from "./view.ts";

export interface ReconcileParts {
  readonly objects: Objects;
  readonly caches: Caches;
  readonly kept: KeptSlices;
  /** The cluster as the watches, and the answers to our own writes, show it now. */
  view(): ClusterView | undefined;
}

/**
 * Brings the objects of one cluster to where they should be, writing only what differs. What one object's failure does not
 * concern is done all the same; the failures are thrown together at the end. The slice comes last, for it needs the Service.
 *
 * @returns what somebody should know of the cluster; undefined where it is not ours to work on
 */
export async function reconcile(parts: ReconcileParts): Promise<Finding[] | undefined> {
  const view = parts.view();
  if (view === undefined || !isActive(view)) return undefined;
  const slice = ourSlice(view);
  if (slice !== undefined) parts.kept.seen(slice);
  const failures: unknown[] = [];
  const attempt = async (work: Promise<unknown>): Promise<void> => {
    await work.catch((error: unknown) => failures.push(error));
  };
  const wanted = [headlessService(view), peerAuthentication(view), ...access(view)];
  await attempt(ensurePrimaryService(parts, view));
  for (const each of wanted) {
    if (each !== undefined) await attempt(ensure(parts, view, each));
  }
  const found = findings(view);
  await attempt(keepSlice(parts).then((more) => found.push(...more)));
  if (failures.length > 0)
    throw failures.length === 1 ? failures[0] : new AggregateError(failures, textOf(failures));
  return found;
}

/** A Service that was deleted comes back with the address that it had, unless that was given away. */
async function ensurePrimaryService(parts: ReconcileParts, view: ClusterView): Promise<void> {
  const clusterIP = parts.kept.clusterIP(view);
  const wanted = primaryService(view, view.primaryService === undefined ? clusterIP : undefined);
  if (wanted === undefined || !view.settings.discovery) return;
  try {
    await ensure(parts, view, wanted);
  } catch (error) {
    const again = clusterIP !== undefined && isCode(error, 422) && primaryService(view, undefined);
    if (!again) throw error;
    await ensure(parts, view, again);
  }
}

async function ensure(
  { objects, caches }: ReconcileParts,
  view: ClusterView,
  wanted: Desired,
): Promise<void> {
  const { resource, name, object } = wanted;
  const cache = cacheOf(caches, resource);
  const live = cache.get(view.namespace, name);
  if (live === undefined) cache.take(await objects.create(resource, object));
  else if (!holds(live, contentOf(object))) cache.take(await objects.apply(resource, object, live));
}

/** Without its type, which an object in a list does not say. */
function contentOf({ apiVersion: _apiVersion, kind: _kind, ...content }: JsonObject): JsonObject {
  return content;
}

function cacheOf(caches: Caches, resource: Desired["resource"]) {
  switch (resource) {
    case "services":
      return caches.services;
    case "roles":
      return caches.roles;
    case "rolebindings":
      return caches.roleBindings;
    case "peerauthentications":
      return caches.peerAuthentications;
    default:
      throw new Error(`${resource} are not applied`);
  }
}

async function keepSlice(parts: ReconcileParts): Promise<readonly Finding[]> {
  const { objects, caches, kept } = parts;
  const view = parts.view();
  const service = view?.primaryService;
  if (view === undefined || service === undefined || !view.settings.discovery) return [];
  const { step, findings } = planSlice(view, service, kept.annotations(view));
  switch (step.kind) {
    case "create":
      caches.slices.take(await objects.create("endpointslices", step.slice));
      break;
    case "remove":
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
