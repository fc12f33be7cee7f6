import jsonPatch, { type Operation } from "fast-json-patch";
import { parse as parseYaml } from "yaml";
import { isObject, type Json, type JsonObject } from "../../src/json/value.ts";
import { badRequest, generic } from "./status.ts";

/** How the body of a PATCH is meant. */
export type PatchKind = "json" | "merge" | "strategic" | "apply";

export const PATCH_TYPES: Readonly<Record<string, PatchKind>> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
  "application/apply-patch+yaml": "apply",
};

/** Sent as a warning wherever an answer may differ from a real server's. */
export const PATCH_CAVEATS: Readonly<Partial<Record<PatchKind, string>>> = {
  strategic: "embedded API: a strategic merge patch is applied as a merge patch; lists are replaced",
  apply: "embedded API: server-side apply is create-or-merge; ownership is not tracked",
};

/**
 * The body of a PATCH, read as its kind says.
 * @throws StatusError 400
 */
export function parsePatch(kind: PatchKind, body: string): JsonObject | Operation[] {
  const patch = kind === "apply" ? yaml(body) : json(body);
  if (kind === "json") {
    if (Array.isArray(patch)) return patch as unknown as Operation[];
    throw badRequest("error decoding patch: a JSON patch is a list of operations");
  }
  if (!isObject(patch)) throw badRequest("error decoding patch: not an object");
  if (kind === "apply" && (patch.apiVersion === undefined || patch.kind === undefined)) {
    throw badRequest(`invalid object type: ${patch.apiVersion ?? "/"}, Kind=${patch.kind ?? ""}`);
  }
  return patch;
}

/**
 * A patched copy.
 * @throws StatusError 422 for a JSON patch that does not fit the object
 */
export function applyPatch(object: JsonObject, patch: JsonObject | Operation[]): Json {
  if (!Array.isArray(patch)) return mergePatch(object, patch);
  try {
    return applyJsonPatch(object, patch);
  } catch (error) {
    throw generic(422, text(error));
  }
}

/**
 * A copy with a JSON patch (RFC 6902) applied.
 * @throws Error where an operation is malformed or does not fit
 */
export function applyJsonPatch(object: Json, patch: readonly Operation[]): Json {
  return jsonPatch.applyPatch(structuredClone(object), patch, true).newDocument;
}

/** RFC 7396. Neither value is changed; the result may share parts with both. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || value === undefined) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

/** The first line of what a patch library has to say; the rest is a dump of the whole object. */
export const text = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";

function json(body: string): Json {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw badRequest(`error decoding patch: ${text(error)}`);
  }
}

function yaml(body: string): Json {
  try {
    return parseYaml(body);
  } catch (error) {
    throw badRequest(`error decoding YAML: ${text(error)}`);
  }
}
