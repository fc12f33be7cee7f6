import { CLUSTER_IP_ANNOTATION, primarySliceName } from "../../contract/slice-annotations.ts";
import type { JsonObject } from "../../json/value.ts";
import { metadataOf, nameOf } from "../facts/slim.ts";
import type { ClusterView } from "../view.ts";
import { ownAnnotations } from "./ours.ts";

/**
 * What the slices said when they were last seen. A slice goes with its Service (garbage collection), or because the Service was
 * taken by something else; the one that is made later goes on with the same term, and the Service with the same address.
 */
export class KeptSlices {
  readonly #annotations = new Map<string, Readonly<Record<string, string>>>();

  seen(slice: JsonObject): void {
    this.#annotations.set(`${String(metadataOf(slice).namespace)}/${nameOf(slice)}`, ownAnnotations(slice));
  }

  annotations({ namespace, settings }: ClusterView): Readonly<Record<string, string>> {
    return this.#annotations.get(`${namespace}/${primarySliceName(settings.primaryService)}`) ?? {};
  }

  clusterIP(view: ClusterView): string | undefined {
    return this.annotations(view)[CLUSTER_IP_ANNOTATION];
  }
}
