import { isDeepStrictEqual } from "node:util";
import { asString, type JsonObject } from "../../src/json/value.ts";
import { asKubeObject } from "./decode.ts";
import { type Admission, type Hook, type Labels, selects } from "./hooks.ts";
import type { KubeObject } from "./objects.ts";
import { applyJsonPatch, text } from "./patch.ts";
import type { Verdict } from "./review.ts";
import { badRequest, internalError, StatusError } from "./status.ts";

/** Calls a webhook. Resolves to its verdict, or to why the call failed; never rejects. */
export type CallWebhook = (hook: Hook, request: Admission) => Promise<Verdict | string>;

/** What a request leaves behind beside its answer. */
export interface Report {
  /** Of the object that is created, where the client has named it. */
  name?: string;
  /** The resourceVersion that the request's body rests on. */
  restsOn?: string | undefined;
  /** Sent as `Warning` headers. */
  readonly warnings: string[];
  /** For the audit log. A key that is there already keeps its value. */
  readonly annotations: Record<string, string>;
}

/**
 * Mutating admission by webhooks: one pass over all hooks and, if any of them changed the object, one more over
 * those that have to see what came after them (apiserver plugin/webhook/mutating: dispatcher.go,
 * reinvocationcontext.go). matchConditions are not evaluated.
 * @param labelsOf the labels of the request's namespace, for the object as it is then
 * @returns the object as it is admitted; undefined for DELETE
 * @throws StatusError where a webhook refuses, or fails under `failurePolicy: Fail`
 */
export async function admit(
  request: Admission,
  hooks: readonly Hook[],
  labelsOf: (object: KubeObject | undefined) => Labels,
  call: CallWebhook,
  report: Report,
): Promise<KubeObject | undefined> {
  const reinvocation = new Reinvocation();
  let object = request.object;
  for (let round = 0; round < 2; round++) {
    for (const [index, hook] of hooks.entries()) {
      const current = { ...request, object };
      if (!selects(hook, current, labelsOf(object))) continue;
      if (round === 1 && !reinvocation.due(hook)) continue;
      const step = { hook, round, index };
      const admitted = await invoke(step, current, call, report);
      if (admitted.changed) reinvocation.changed();
      reinvocation.called(hook);
      object = admitted.object;
    }
    if (!reinvocation.wanted) break;
  }
  return object;
}

/** Which hooks must be called again: those that were called before a change and want to see it. */
class Reinvocation {
  #wanted = false;
  readonly #called = new Set<string>();
  readonly #due = new Set<string>();

  get wanted(): boolean {
    return this.#wanted;
  }

  due(hook: Hook): boolean {
    return this.#due.has(hook.id);
  }

  changed(): void {
    this.#wanted = true;
    for (const id of this.#called) this.#due.add(id);
  }

  called(hook: Hook): void {
    if (hook.reinvocable) this.#called.add(hook.id);
  }
}

interface Step {
  readonly hook: Hook;
  readonly round: number;
  /** The hook's place among all hooks. */
  readonly index: number;
}

interface Invoked {
  readonly object: KubeObject | undefined;
  readonly changed: boolean;
}

async function invoke(
  { hook, round, index }: Step,
  request: Admission,
  call: CallWebhook,
  report: Report,
): Promise<Invoked> {
  const place = `round_${round}_index_${index}`;
  const { configuration, name: webhook } = hook;
  const noteMutation = (mutated: boolean) =>
    annotate(report, `mutation.webhook.admission.k8s.io/${place}`, { configuration, webhook, mutated });

  const verdict = await ask(hook, request, call);
  if (typeof verdict === "string") {
    noteMutation(false);
    const failure = `failed calling webhook "${hook.name}": ${verdict}`;
    if (!hook.failOpen) throw internalError(failure);
    annotate(report, `failed-open.mutation.webhook.admission.k8s.io/${place}`, hook.name);
    return { object: request.object, changed: false };
  }
  for (const [key, value] of Object.entries(verdict.auditAnnotations)) {
    annotate(report, `${hook.name}/${key}`, value);
  }
  report.warnings.push(...verdict.warnings);
  if (!verdict.allowed) {
    noteMutation(false);
    throw refusal(hook, verdict.result);
  }
  const object = applyVerdict(hook, request, verdict);
  const changed = object !== request.object && !isDeepStrictEqual(object, request.object);
  noteMutation(changed);
  if (verdict.patch.length > 0) {
    const patch = { configuration, webhook, patch: verdict.patch, patchType: "JSONPatch" };
    annotate(report, `patch.webhook.admission.k8s.io/${place}`, patch);
  }
  return { object, changed };
}

/** A hook that may have side effects is not called for a dry run: the request is refused instead. */
async function ask(hook: Hook, request: Admission, call: CallWebhook): Promise<Verdict | string> {
  if (request.dryRun && hook.sideEffects === undefined) return "Webhook SideEffects is nil";
  if (request.dryRun && hook.sideEffects !== "None" && hook.sideEffects !== "NoneOnDryRun") {
    throw badRequest(`admission webhook "${hook.name}" does not support dry run`);
  }
  if (!hook.reviewVersions.includes("v1")) {
    return "could not create admission objects: webhook does not accept known AdmissionReview versions (v1)";
  }
  return call(hook, request);
}

/** A patch that does not fit is an error of the whole request, whatever the failurePolicy. */
function applyVerdict(hook: Hook, request: Admission, { patch }: Verdict): KubeObject | undefined {
  if (patch.length === 0) return request.object;
  if (request.object === undefined) {
    throw internalError(
      `admission webhook "${hook.name}" attempted to modify the object, which is not supported for this operation`,
    );
  }
  try {
    return asKubeObject(applyJsonPatch(request.object, patch), request.resource);
  } catch (error) {
    throw internalError(text(error));
  }
}

/** The webhook's own Status, made fit for a refusal (apiserver `ToStatusErr`). */
function refusal(hook: Hook, result: JsonObject): StatusError {
  const given = typeof result.code === "number" ? result.code : 0;
  const code = given < 400 ? 400 : given;
  const reason = asString(result.reason) ?? "";
  const explanation = asString(result.message) || reason;
  const denied = `admission webhook "${hook.name}" denied the request`;
  const message = explanation ? `${denied}: ${explanation}` : `${denied} without explanation`;
  const error = new StatusError(code, reason, message);
  Object.assign(error.status, { ...result, ...error.status });
  return error;
}

function annotate(report: Report, key: string, value: string | object): void {
  report.annotations[key] ??= typeof value === "string" ? value : JSON.stringify(value);
}
