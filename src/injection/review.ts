import type { DecisionReason } from "../contract/reasons.ts";
import { REASONS } from "../contract/reasons.ts";
import { VERSION } from "../contract/version.ts";
import { asObject, asString, at, isObject, type JsonObject, objectsIn } from "../json/value.ts";
import { decide } from "./decide.ts";
import type { Decision, Note, Part } from "./decision.ts";
import { patchBetween } from "./patch.ts";
import type { InjectionSettings, Surroundings } from "./settings.ts";

export type ReviewMode = "enabled" | "audit";

export interface ReviewContext {
  readonly mode: ReviewMode;
  readonly settings: InjectionSettings;
  readonly surroundings: Surroundings;
  /** What the webhook configuration says: decides what a bug of ours does to the pod. */
  readonly failurePolicy: "Ignore" | "Fail";
}

/** What there is to log and to count of one review. */
export interface ReviewRecord {
  readonly uid: string;
  readonly namespace: string;
  /** The pod's name, or its generateName. */
  readonly name: string;
  readonly mode: ReviewMode;
  readonly dryRun: boolean;
  readonly decision: Decision["kind"] | "error";
  readonly reason: DecisionReason;
  readonly notes: readonly Note[];
  readonly applied: readonly Part[];
  readonly patchOperations: number;
  readonly error?: unknown;
}

export type ReviewAnswer =
  | { readonly status: 200; readonly review: JsonObject; readonly record: ReviewRecord }
  | { readonly status: 400; readonly message: string };

const API_VERSION = "admission.k8s.io/v1";
const LONGEST_WARNING = 120;
const LONGEST_UID = 256;
const LONGEST_NAME = 253;

/**
 * Answers an AdmissionReview (admission.k8s.io/v1). Never throws: a bug while deciding admits the pod unchanged under
 * `failurePolicy: Ignore` and refuses it under `Fail`, as if the call itself had failed.
 */
export function answerReview(body: unknown, context: ReviewContext): ReviewAnswer {
  const request = requestIn(body);
  if (typeof request === "string") return { status: 400, message: request };
  const about = describe(request);
  try {
    return answer(request, about, context);
  } catch (error) {
    return failed(about, context, error);
  }
}

/** The review's request, or what is wrong with it. */
function requestIn(body: unknown): JsonObject | string {
  if (!isObject(body)) return "the body must be an AdmissionReview object";
  if (body.kind !== "AdmissionReview") return 'kind must be "AdmissionReview"';
  if (body.apiVersion !== API_VERSION) return `apiVersion must be "${API_VERSION}"`;
  if (!isObject(body.request)) return "request must be an object";
  const uid = asString(body.request.uid);
  if (!uid || uid.length > LONGEST_UID)
    return `request.uid must be a string of 1 to ${LONGEST_UID} characters`;
  return body.request;
}

type About = Pick<ReviewRecord, "uid" | "namespace" | "name" | "dryRun">;

/** A pod's own namespace may be empty at CREATE: the request's counts. */
function describe(request: JsonObject): About {
  const metadata = asObject(at(request, "object", "metadata")) ?? {};
  return {
    uid: asString(request.uid) ?? "",
    namespace: asString(request.namespace) || asString(metadata.namespace) || "",
    name: (asString(request.name) || asString(metadata.name) || asString(metadata.generateName) || "").slice(
      0,
      LONGEST_NAME,
    ),
    dryRun: request.dryRun === true,
  };
}

function answer(request: JsonObject, about: About, context: ReviewContext): ReviewAnswer {
  const pod = createdPod(request);
  const decision: Decision =
    pod === undefined
      ? { kind: "skip", reason: "not-a-pod", detail: "", notes: [] }
      : decide(
          { pod, namespace: about.namespace, origin: "request", job: ownedByJob(pod) },
          context.settings,
          context.surroundings,
        );
  const operations =
    decision.kind === "inject" && decision.reason === "injected" && pod !== undefined
      ? patchBetween(pod, decision.pod)
      : [];
  const record: ReviewRecord = {
    ...about,
    mode: context.mode,
    decision: decision.kind,
    reason: decision.reason,
    notes: decision.notes,
    applied: decision.kind === "inject" ? decision.applied : [],
    patchOperations: operations.length,
  };
  const response: JsonObject = {
    allowed: context.mode === "audit" || decision.kind !== "deny",
    warnings: warningsOf(decision, context.mode),
    auditAnnotations: auditAnnotations(record),
  };
  if (decision.kind === "deny" && context.mode === "enabled") {
    response.status = { code: 400, reason: "BadRequest", message: `${decision.reason}: ${decision.message}` };
  }
  if (operations.length > 0 && context.mode === "enabled") {
    response.patchType = "JSONPatch";
    response.patch = Buffer.from(JSON.stringify(operations)).toString("base64");
  }
  return { status: 200, review: reviewOf(about.uid, response), record };
}

/** The pod that is being created, or undefined where the request is about anything else. */
function createdPod(request: JsonObject): JsonObject | undefined {
  const isPod = at(request, "resource", "resource") === "pods" && at(request, "resource", "group") === "";
  const isCreate = request.operation === "CREATE" && !request.subResource;
  return isPod && isCreate ? asObject(request.object) : undefined;
}

function ownedByJob(pod: JsonObject): boolean {
  return objectsIn(at(pod, "metadata", "ownerReferences")).some(
    ({ kind, controller }) => kind === "Job" && controller === true,
  );
}

function failed(about: About, context: ReviewContext, error: unknown): ReviewAnswer {
  const admitted = context.failurePolicy === "Ignore" || context.mode === "audit";
  const record: ReviewRecord = {
    ...about,
    mode: context.mode,
    decision: "error",
    reason: "internal-error",
    notes: [],
    applied: [],
    patchOperations: 0,
    error,
  };
  const message =
    "internal-error: patroni-injector could not decide on this pod; see its log for this request's uid";
  const response: JsonObject = {
    allowed: admitted,
    warnings: [message.slice(0, LONGEST_WARNING)],
    auditAnnotations: auditAnnotations(record),
    ...(admitted ? {} : { status: { code: 500, reason: "InternalError", message } }),
  };
  return { status: 200, review: reviewOf(about.uid, response), record };
}

const reviewOf = (uid: string, response: JsonObject): JsonObject => ({
  apiVersion: API_VERSION,
  kind: "AdmissionReview",
  response: { uid, ...response },
});

/** In audit mode the decision itself is the news; otherwise only what someone should act on. */
function warningsOf(decision: Decision, mode: ReviewMode): string[] {
  const warnings: string[] = [];
  if (mode === "audit") {
    const isChange = decision.reason !== "already-injected";
    const would = {
      inject: isChange ? "would be injected" : "would stay as it is",
      skip: "would be left alone",
      deny: "would be refused",
    }[decision.kind];
    const detail = decision.kind === "inject" ? decision.applied.join(", ") : explanation(decision);
    warnings.push(warning("audit", `${would}: ${decision.reason}${detail === "" ? "" : ` (${detail})`}`));
  } else if (decision.kind === "skip" && REASONS[decision.reason].warn) {
    warnings.push(warning(decision.reason, explanation(decision) || REASONS[decision.reason].means));
  }
  for (const { reason, detail } of decision.notes) {
    if (REASONS[reason].warn) warnings.push(warning(reason, detail || REASONS[reason].means));
  }
  return [...new Set(warnings)];
}

const explanation = (decision: Decision): string =>
  decision.kind === "skip" ? decision.detail : decision.kind === "deny" ? decision.message : "";

/** Kubernetes asks for at most 120 characters; a warning header takes no control characters. */
function warning(subject: string, text: string): string {
  const line = `patroni-injector: ${subject}: ${text}`.replace(/[\p{Cc}\p{Cs}]+/gu, " ");
  return line.length <= LONGEST_WARNING
    ? line
    : `${line.slice(0, LONGEST_WARNING - 1).replace(/\p{Cs}$/u, "")}…`;
}

/** Keys without a domain: the API server puts the webhook's name before them. */
function auditAnnotations(record: ReviewRecord): JsonObject {
  return {
    decision: record.decision,
    reason: record.reason,
    notes: [...new Set(record.notes.map(({ reason }) => reason))].join(","),
    version: VERSION,
  };
}
