import { RESET_TERM_ANNOTATION } from "../../contract/service-annotations.ts";
import {
  LAST_POD_ANNOTATION,
  TERM_ANNOTATION,
  TERM_RESET_ANNOTATION,
} from "../../contract/slice-annotations.ts";
import { sameJson } from "../../json/same.ts";
import { type JsonObject, objectsIn } from "../../json/value.ts";
import { sliceSkeleton } from "../desired/primary-slice.ts";
import type { EndpointsFacts } from "../facts/endpoints.ts";
import { annotationOf, metadataOf, nameOf } from "../facts/slim.ts";
import type { ClusterView, Finding } from "../view.ts";
import { isAccountedFor } from "./endpoint.ts";
import { mended } from "./mend.ts";
import { occupation } from "./occupied.ts";
import { ourSlice } from "./ours.ts";

/** What is to be done about the primary's slice next, as data. */
export type SliceStep =
  | { readonly kind: "none" }
  | { readonly kind: "create"; readonly slice: JsonObject }
  | { readonly kind: "remove"; readonly slice: JsonObject }
  | { readonly kind: "put-aside"; readonly endpoints: EndpointsFacts }
  /** As the watch shows it, the slice is not as it should be: to be read anew, and mended. */
  | { readonly kind: "mend"; readonly skeleton: JsonObject };

export interface SlicePlan {
  readonly step: SliceStep;
  readonly findings: readonly Finding[];
}

/**
 * The next step for the slice of a cluster whose Service is there.
 *
 * @param kept the annotations that the slice had when it was last seen: a slice that is made again goes on with its term
 */
export function planSlice(
  view: ClusterView,
  service: JsonObject,
  kept: Readonly<Record<string, string>>,
): SlicePlan {
  const skeleton = sliceSkeleton(view, service);
  const slice = ourSlice(view);
  const state = occupation(view, service);
  if (state.kind === "occupied") {
    const findings = [
      { reason: "service-occupied" as const, detail: `Service ${nameOf(service)}: ${state.why}` },
    ];
    return { step: slice === undefined ? { kind: "none" } : { kind: "remove", slice }, findings };
  }
  if (state.kind === "put-aside") {
    return { step: state, findings: [takingOver(service)] };
  }
  if (slice === undefined) {
    if (state.kind === "clearing") return { step: { kind: "none" }, findings: [takingOver(service)] };
    return { step: { kind: "create", slice: withKept(skeleton, kept) }, findings: [] };
  }
  if (slice.addressType !== skeleton.addressType) return { step: { kind: "remove", slice }, findings: [] };
  return {
    step: isAsItShouldBe(view, slice, skeleton, service) ? { kind: "none" } : { kind: "mend", skeleton },
    findings: [],
  };
}

const takingOver = (service: JsonObject): Finding => ({
  reason: "service-taking-over",
  detail: `Service ${nameOf(service)}`,
});

function withKept(skeleton: JsonObject, kept: Readonly<Record<string, string>>): JsonObject {
  const metadata = metadataOf(skeleton);
  return {
    ...skeleton,
    metadata: { ...metadata, annotations: { ...kept, ...(metadata.annotations as JsonObject) } },
  };
}

function isAsItShouldBe(
  view: ClusterView,
  slice: JsonObject,
  skeleton: JsonObject,
  service: JsonObject,
): boolean {
  const doubtful = objectsIn(slice.endpoints).some((endpoint) => !isAccountedFor(endpoint, view.members));
  if (doubtful || mayClearTerm(view, slice) || resetWanted(service, slice) !== undefined) return false;
  return sameJson(mended(slice, skeleton), slice);
}

/** The slice is empty, keeps a term, and its last pod is none that we see: to be looked for. */
export function mayClearTerm(view: ClusterView, slice: JsonObject): boolean {
  if (objectsIn(slice.endpoints).length > 0 || annotationOf(slice, TERM_ANNOTATION) === undefined)
    return false;
  const last = lastPodOf(slice);
  return last !== undefined && !view.members.some(({ uid }) => uid === last.uid);
}

/** The pod that is, or was last, published. */
export function lastPodOf(slice: JsonObject): { name: string; uid: string } | undefined {
  const [name, uid] = (annotationOf(slice, LAST_POD_ANNOTATION) ?? "").split("/");
  return name && uid ? { name, uid } : undefined;
}

/** The user's wish to clear the term, if it is not obeyed yet. */
export function resetWanted(service: JsonObject, slice: JsonObject): string | undefined {
  const wish = annotationOf(service, RESET_TERM_ANNOTATION);
  return wish === annotationOf(slice, TERM_RESET_ANNOTATION) ? undefined : wish;
}
