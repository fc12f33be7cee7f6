import jsonPatch from "fast-json-patch";
import type { JsonObject } from "../json/value.ts";

/** One operation of RFC 6902. */
export type PatchOperation = ReturnType<typeof jsonPatch.compare>[number];

/** The operations that turn `before` into `after`; none where they are equal. Parts that both share are not walked. */
export function patchBetween(before: JsonObject, after: JsonObject): PatchOperation[] {
  return jsonPatch.compare(before, after);
}
