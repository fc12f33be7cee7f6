import type { Operation } from "fast-json-patch";
import { isObject, type Json, type JsonObject } from "../../src/json/value.ts";
import type { Admission } from "./hooks.ts";

/** The AdmissionReview (admission.k8s.io/v1) that asks about a request. */
export function createReview(uid: string, request: Admission): JsonObject {
  const { group, version, kind, plural } = request.resource;
  const what = { group, version, kind };
  const where = { group, version, resource: plural };
  const part = request.subresource;
  return {
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid,
      kind: what,
      resource: where,
      ...(part === "" ? {} : { subResource: part }),
      requestKind: what,
      requestResource: where,
      ...(part === "" ? {} : { requestSubResource: part }),
      ...(request.name === "" ? {} : { name: request.name }),
      ...(request.namespace === "" ? {} : { namespace: request.namespace }),
      operation: request.operation,
      userInfo: { username: request.user.username, groups: [...request.user.groups] },
      object: request.object ?? null,
      oldObject: request.oldObject ?? null,
      dryRun: request.dryRun,
      options: request.options,
    },
  };
}

/** What a webhook answered, after all that can be wrong with the form of an answer has been looked at. */
export interface Verdict {
  readonly allowed: boolean;
  /** The Status that goes with a refusal. */
  readonly result: JsonObject;
  readonly patch: readonly Operation[];
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

/**
 * Reads the answer to a review (apiserver `VerifyAdmissionResponse`).
 * @returns the verdict, or why the answer counts as a failed call
 */
export function readVerdict(uid: string, answer: string): Verdict | string {
  const review = parse(answer);
  if (!isObject(review)) return "failed to call webhook: the answer is not a JSON object";
  const { response } = review;
  if (!isObject(response)) return invalid("webhook response was absent");
  if (response.uid !== uid) return invalid(`expected response.uid="${uid}", got "${response.uid ?? ""}"`);
  const [group, version, kind] = [...String(review.apiVersion ?? "").split("/"), "", review.kind];
  if (review.apiVersion !== "admission.k8s.io/v1" || review.kind !== "AdmissionReview") {
    return invalid(
      `expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${group}/${version}, Kind=${kind ?? ""}`,
    );
  }
  const { patch = null, patchType = null, allowed = false, status, warnings, auditAnnotations } = response;
  if (typeof allowed !== "boolean") return unreadable("allowed");
  if (patch !== null && typeof patch !== "string") return unreadable("patch");
  if (patch && patchType === null)
    return invalid("webhook returned response.patch but not response.patchType");
  if (!patch && patchType !== null)
    return invalid("webhook returned response.patchType but not response.patch");
  const operations = patch ? parse(Buffer.from(patch, "base64").toString()) : [];
  if (!Array.isArray(operations)) return "received undecodable patch in webhook response: not a list";
  if (operations.length > 0 && patchType !== "JSONPatch") return `unsupported patch type "${patchType}"`;
  return {
    allowed,
    result: isObject(status) ? status : {},
    patch: operations as unknown as Operation[],
    warnings: Array.isArray(warnings) ? warnings.map(String) : [],
    auditAnnotations: Object.fromEntries(
      Object.entries(isObject(auditAnnotations) ? auditAnnotations : {}).map(([key, value]) => [
        key,
        String(value),
      ]),
    ),
  };
}

const invalid = (why: string) => `received invalid webhook response: ${why}`;
const unreadable = (field: string) =>
  `failed to call webhook: json: cannot unmarshal AdmissionReview.response.${field}: wrong type`;

function parse(json: string): Json | undefined {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
