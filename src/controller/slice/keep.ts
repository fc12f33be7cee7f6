import { SKIP_MIRROR_LABEL } from "../../contract/slice-annotations.ts";
import { sameJson } from "../../json/same.ts";
import type { JsonObject } from "../../json/value.ts";
import { isForbidden } from "../../kube/error.ts";
import { ensure, type Writing } from "../ensure.ts";
import type { EndpointsFacts } from "../facts/endpoints.ts";
import { metadataOf, nameOf } from "../facts/slim.ts";
import type { ClusterView, Finding } from "../view.ts";
import { inspected } from "./inspect.ts";
import { memoryOf, type SliceMemory } from "./memory.ts";
import { mended } from "./mend.ts";
import { notedAccess } from "./noted-access.ts";
import { planSlice, resetWanted } from "./plan.ts";

export interface KeepParts extends Writing {
  /** The cluster as the watches, and the answers to our own writes, show it now. */
  view(): ClusterView | undefined;
}

/**
 * Brings the slice of one cluster to where it should be, and what stands in its way out of it.
 *
 * @param memory what a slice that is to be made starts with
 */
export async function keepSlice(parts: KeepParts, memory: SliceMemory): Promise<readonly Finding[]> {
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
async function noteDown(parts: KeepParts, view: ClusterView, slice: JsonObject): Promise<void> {
  for (const each of notedAccess(view, memoryOf(slice))) {
    await ensure(parts, each).catch((error: unknown) => {
      if (!isForbidden(error)) throw error;
    });
  }
}

/** Reads the slice, looks at what it says, and replaces it where that is wrong: in this order, as every writer does. */
async function mend(
  { objects, caches }: KeepParts,
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

async function putAside({ objects, caches }: KeepParts, namespace: string, endpoints: EndpointsFacts) {
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
