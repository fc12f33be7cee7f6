import { TERM_ANNOTATION } from "../../contract/slice-annotations.ts";
import { sameJson } from "../../json/same.ts";
import { type JsonObject, objectsIn } from "../../json/value.ts";
import type { Writing } from "../ensure.ts";
import { annotationOf, metadataOf, nameOf } from "../facts/slim.ts";
import { inspected } from "./inspect.ts";

/**
 * What is left of a cluster without pods and workloads: its Service and slice stay, for it may come back, but nobody may stand
 * in the slice who does not exist.
 */
export async function sweep({ objects, caches }: Writing, slices: readonly JsonObject[]): Promise<void> {
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
