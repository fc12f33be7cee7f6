import { primarySliceName } from "../../contract/slice-annotations.ts";
import type { JsonObject } from "../../json/value.ts";
import { metadataOf, nameOf } from "../facts/slim.ts";
import type { ClusterView } from "../view.ts";
import { memoryOf, type SliceMemory } from "./memory.ts";

/**
 * What the slices said when this process saw them last. A slice goes with its Service (garbage collection), or because the Service
 * was taken by something else; the one that is made later goes on with the same term, and the Service with the same address.
 */
export class KeptSlices {
  readonly #memories = new Map<string, SliceMemory>();

  /** A slice as it is, or was when it was deleted. One that remembers nothing is not ours. */
  seen(slice: JsonObject): void {
    const memory = memoryOf(slice);
    if (Object.keys(memory.annotations).length === 0) return;
    this.#memories.set(`${String(metadataOf(slice).namespace)}/${nameOf(slice)}`, memory);
  }

  of({ namespace, settings }: ClusterView): SliceMemory | undefined {
    return this.#memories.get(`${namespace}/${primarySliceName(settings.primaryService)}`);
  }
}
