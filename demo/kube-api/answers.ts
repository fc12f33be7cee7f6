import { asObject, type Json } from "../../src/json/value.ts";
import type { Report } from "./admission.ts";
import { create } from "./create.ts";
import { asKubeObject, parseBody } from "./decode.ts";
import { evict } from "./eviction.ts";
import { type Answer, ok } from "./http.ts";
import type { KubeObject, UserInfo } from "./objects.ts";
import { deleteOptionsOf, isDryRun, optionsOf, requireFieldManager } from "./options.ts";
import { applyPatch, PATCH_CAVEATS, PATCH_TYPES, parsePatch } from "./patch.ts";
import { get, list, listJson, selectionOf } from "./read.ts";
import { remove } from "./remove.ts";
import type { Target, Verb } from "./router.ts";
import * as status from "./status.ts";
import type { Stored } from "./stored.ts";
import { update } from "./update.ts";
import type { Backend, WriteRequest } from "./write.ts";

/** A request for a resource, read to its end. */
export interface ResourceRequest {
  readonly target: Target;
  readonly user: UserInfo;
  readonly query: URLSearchParams;
  /** Media type of the body, without parameters. */
  readonly contentType: string;
  readonly body: string;
  /** Filled by admission. */
  readonly report: Report;
}

type AnswerVerb = (backend: Backend, request: ResourceRequest) => Promise<Answer> | Answer;

/** How each verb is answered, but `watch`, whose answer does not end. */
const BY_VERB: Readonly<Record<Exclude<Verb, "watch">, AnswerVerb>> = {
  get: ({ store }, { target }) => stateAnswer(get(store, target)),
  list: ({ store }, { target, query }) => ({ code: 200, body: list(store, target, query) }),
  create: post,
  update: put,
  patch,
  delete: deleteOne,
  deletecollection: deleteMany,
};

/** @throws StatusError */
export async function answerTo(backend: Backend, request: ResourceRequest): Promise<Answer> {
  const { verb } = request.target;
  if (verb === "watch") throw new Error("a watch is a stream, not an answer");
  return BY_VERB[verb](backend, request);
}

const stateAnswer = (state: Stored, created = false): Answer => ({
  code: created ? 201 : 200,
  body: state.json,
});

function writeRequest({ target, user, query, report }: ResourceRequest): WriteRequest {
  const options = optionsOf(query);
  return { target, user, report, options, dryRun: isDryRun(options, target.verb) };
}

const sentObject = ({ target, contentType, body }: ResourceRequest): KubeObject =>
  asKubeObject(parseBody(contentType, body), target.resource);

async function post(backend: Backend, request: ResourceRequest): Promise<Answer> {
  if (request.target.subresource === "eviction") {
    const eviction = asObject(parseBody(request.contentType, request.body)) ?? {};
    return ok(await evict(backend, writeRequest(request), eviction), 201);
  }
  const object = sentObject(request);
  if (request.target.resource.virtual) return ok(reviewed(object), 201);
  return stateAnswer(await create(backend, writeRequest(request), object), true);
}

/** RBAC is not imitated: everyone may do everything, and the answer says that nobody looked. */
const reviewed = (object: KubeObject): KubeObject => ({
  ...object,
  status: { allowed: true, reason: "embedded API: RBAC is not imitated, every request is allowed" },
});

async function put(backend: Backend, request: ResourceRequest): Promise<Answer> {
  const object = sentObject(request);
  const { state, created } = await update(backend, writeRequest(request), {
    change: () => object,
    create: request.target.resource.createOnUpdate ? () => object : undefined,
    uid: object.metadata.uid,
  });
  return stateAnswer(state, created);
}

async function patch(backend: Backend, request: ResourceRequest): Promise<Answer> {
  const { resource } = request.target;
  // Without a schema there is no strategy: a real server does not know that form for custom resources either.
  const known = Object.keys(PATCH_TYPES).filter(
    (type) => !(resource.custom && PATCH_TYPES[type] === "strategic"),
  );
  const kind = known.includes(request.contentType) ? PATCH_TYPES[request.contentType] : undefined;
  if (kind === undefined) throw status.unsupportedMediaType(known);
  const order = writeRequest(request);
  if (kind === "apply") requireFieldManager(order.options);
  const change = parsePatch(kind, request.body);
  const caveat = PATCH_CAVEATS[kind];
  if (caveat !== undefined) request.report.warnings.push(caveat);
  const { state, created } = await update(backend, order, {
    change: (existing) => asKubeObject(applyPatch(existing, change), resource),
    create: kind === "apply" ? () => applied(change as Json, request.target) : undefined,
    uid: undefined,
  });
  return stateAnswer(state, created);
}

/**
 * What is created where there is nothing to apply to.
 * @throws StatusError 409 for an object that is taken to be there already
 */
function applied(config: Json, { resource, name }: Target): KubeObject {
  const object = asKubeObject(config, resource);
  const { uid } = object.metadata;
  if (uid === undefined) return { ...object, metadata: { name, ...object.metadata } };
  const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
  throw status.conflict(resource, name, why);
}

async function deleteOne(backend: Backend, request: ResourceRequest): Promise<Answer> {
  const { resource } = request.target;
  const options = deleteOptionsOf(request.body, request.query);
  const dryRun = isDryRun(options, "delete");
  const { state, gone } = await remove(backend, { ...writeRequest(request), options, dryRun }, options);
  if (resource.answersDeleted || !gone) return stateAnswer(state);
  const { name = "", uid = "" } = state.object.metadata;
  const group = resource.group === "" ? {} : { group: resource.group };
  return ok(status.success({ name, ...group, kind: resource.plural, uid }));
}

async function deleteMany(backend: Backend, request: ResourceRequest): Promise<Answer> {
  const { target, query } = request;
  const { store } = backend;
  const { matches } = selectionOf(query, target.resource);
  const chosen = store.list(target.resource.id, target.namespace).filter(({ object }) => matches(object));
  const options = deleteOptionsOf(request.body, query);
  const order = { ...writeRequest(request), options, dryRun: isDryRun(options, "deletecollection") };
  for (const { object } of chosen) {
    const one = { ...target, name: object.metadata.name ?? "" };
    await remove(backend, { ...order, target: one }, options);
  }
  return { code: 200, body: listJson(target.resource, { resourceVersion: String(store.revision) }, chosen) };
}
