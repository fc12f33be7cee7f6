import { isObject, type Json, type JsonObject } from "../../src/json/value.ts";
import { parseBody } from "./decode.ts";
import type { Verb } from "./router.ts";
import { badRequest, invalid } from "./status.ts";

/** The options of a write, which come in the query and, of a delete, in the body. */

const KINDS: Readonly<Partial<Record<Verb, string>>> = {
  create: "CreateOptions",
  update: "UpdateOptions",
  patch: "PatchOptions",
  delete: "DeleteOptions",
  deletecollection: "DeleteOptions",
};

const IN_QUERY = ["fieldManager", "fieldValidation"];

/** As a webhook is told them, without `kind` and `apiVersion`. */
export function optionsOf(query: URLSearchParams): JsonObject {
  const options: JsonObject = {};
  for (const name of IN_QUERY) {
    const value = query.get(name);
    if (value !== null) options[name] = value;
  }
  const dryRun = query.getAll("dryRun");
  if (dryRun.length > 0) options.dryRun = dryRun;
  return options;
}

/**
 * `DeleteOptions` from the body or, without one, from the query.
 * @throws StatusError 400
 */
export function deleteOptionsOf(body: string, query: URLSearchParams): JsonObject {
  if (body === "") {
    const grace = query.get("gracePeriodSeconds");
    return { ...optionsOf(query), ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }) };
  }
  const options = parseBody("application/json", body);
  if (!isObject(options)) throw badRequest("decoded object cannot be converted to DeleteOptions");
  const { kind: _kind, apiVersion: _apiVersion, ...fields } = options;
  return fields;
}

/** @throws StatusError 422 where `dryRun` is anything but `All` */
export function isDryRun({ dryRun }: JsonObject, verb: Verb): boolean {
  const stages: readonly Json[] = Array.isArray(dryRun) ? dryRun : [];
  if (stages.every((stage) => stage === "All")) return stages.length > 0;
  const text = `Unsupported value: ${JSON.stringify(stages)}: supported values: "All"`;
  throw invalid(KINDS[verb] ?? "", "meta.k8s.io", "", "dryRun", "FieldValueNotSupported", text);
}

/**
 * Apply must say who applies.
 * @throws StatusError 422
 */
export function requireFieldManager(options: JsonObject): void {
  if (options.fieldManager !== undefined) return;
  const text = "Required value: is required for apply patch";
  throw invalid("PatchOptions", "meta.k8s.io", "", "fieldManager", "FieldValueRequired", text);
}
