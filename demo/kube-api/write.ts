import { isDeepStrictEqual } from "node:util";
import type { JsonObject } from "../../src/json/value.ts";
import type { Report } from "./admission.ts";
import { deletionOf, endsDeletion, requirePreconditions } from "./deletion.ts";
import type { Admission } from "./hooks.ts";
import {
  generateName,
  initialized,
  inNamespace,
  requireName,
  requireNameOfPath,
  succeeding,
  withoutSystemFields,
} from "./metadata.ts";
import type { KubeObject, UserInfo } from "./objects.ts";
import { customResource, DEFINITIONS, NAMESPACES, type Resource, type ResourceTable } from "./resources.ts";
import type { Target } from "./router.ts";
import * as status from "./status.ts";
import type { Store } from "./store.ts";
import { keyOf, Stored } from "./stored.ts";

/** What writing needs. */
export interface Backend {
  readonly store: Store;
  readonly table: ResourceTable;
  /** As `admit` of admission.ts, with the hooks of now. */
  readonly admit: (request: Admission, report: Report) => Promise<KubeObject | undefined>;
}

/** A write that is asked for. */
export interface WriteRequest {
  readonly target: Target;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** The options of the request, for admission: without `kind` and `apiVersion`. */
  readonly options: JsonObject;
  readonly report: Report;
}

/** What came of a write. Of a dry run, `state` is what would have been. */
export interface Written {
  readonly state: Stored;
  readonly created: boolean;
}

/** How an update comes to the new state. */
export interface Update {
  /**
   * The new state, from the current one; asked again where another write came between.
   * @throws StatusError
   */
  readonly change: (existing: KubeObject) => KubeObject;
  /** The object to create where there is none; undefined: 404. */
  readonly create: (() => KubeObject) | undefined;
  /** The uid that the caller takes the object to have. */
  readonly uid: string | undefined;
}

const NAME_ATTEMPTS = 8;

/** @throws StatusError */
export async function create(backend: Backend, request: WriteRequest, sent: KubeObject): Promise<Written> {
  const { resource, namespace } = request.target;
  const { store } = backend;
  const object = resource.complete(inNamespace(withoutSystemFields(sent), namespace));
  requireName(object, resource);
  requireNamespace(store, namespace);
  const admission = admissionOf(request, "CREATE", object, undefined);
  const admitted = inNamespace((await backend.admit(admission, request.report)) ?? object, namespace);
  if ((admitted.metadata.resourceVersion ?? "") !== "" && request.target.verb === "create") {
    throw status.untranslated("resourceVersion should not be set on objects to be created");
  }

  const space = namespace ?? "";
  const name = freeName(store, resource, space, admitted);
  const existing = store.get(resource.id, space, name);
  if (existing !== undefined) throw nameTaken(resource, existing.object, admitted.metadata.name === name);
  const next = initialized(admitted, resource, name);
  if (request.dryRun) return { state: new Stored(next, store.revision), created: true };
  const state = store.swap(resource.id, space, name, undefined, next);
  if (state === undefined) throw status.alreadyExists(resource, name);
  return { state, created: true };
}

/** @throws StatusError */
export async function update(backend: Backend, request: WriteRequest, wanted: Update): Promise<Written> {
  const { resource, name, namespace } = request.target;
  const { store } = backend;
  const space = namespace ?? "";
  for (;;) {
    const existing = store.get(resource.id, space, name);
    if (existing === undefined) {
      if (wanted.create === undefined) throw status.notFound(resource, name);
      requireUid(resource, space, name, wanted.uid, "");
      return create(backend, request, wanted.create());
    }
    requireUid(resource, space, name, wanted.uid, existing.object.metadata.uid ?? "");
    const changed = inNamespace(wanted.change(existing.object), namespace);
    requireNameOfPath(changed, name);
    const object = resource.complete(onlyItsPart(request.target, existing.object, changed));
    const admission = admissionOf(request, "UPDATE", object, existing.object);
    const admitted = (await backend.admit(admission, request.report)) ?? object;
    requireVersion(resource, existing.object, admitted);
    requireSameUid(resource, existing.object, admitted);

    const next = succeeding(existing.object, withVersionOf(existing.object, admitted));
    if (isDeepStrictEqual(next, existing.object)) return { state: existing, created: false };
    if (request.dryRun) return { state: new Stored(next, existing.revision), created: false };
    const ends = endsDeletion(existing.object, next);
    const state = store.swap(resource.id, space, name, existing, ends ? undefined : next);
    if (state === undefined) continue;
    return { state: ends ? new Stored(next, existing.revision) : state, created: false };
  }
}

/**
 * @param options `DeleteOptions`
 * @returns the last state, and whether it is gone
 * @throws StatusError
 */
export async function remove(
  backend: Backend,
  request: WriteRequest,
  options: JsonObject,
): Promise<{ readonly state: Stored; readonly gone: boolean }> {
  const { resource, name, namespace } = request.target;
  const { store } = backend;
  const space = namespace ?? "";
  for (;;) {
    const existing = store.get(resource.id, space, name);
    if (existing === undefined) throw status.notFound(resource, name);
    requirePreconditions(existing.object, resource, options);
    await backend.admit(admissionOf(request, "DELETE", undefined, existing.object), request.report);
    const deletion = deletionOf(existing.object, resource, options, Date.now());
    if (deletion.kind === "pending") return { state: existing, gone: false };
    const gone = deletion.kind === "remove";
    if (request.dryRun) {
      return { state: new Stored(deletion.marked ?? existing.object, existing.revision), gone };
    }
    const { marked } = deletion;
    const last = marked === undefined ? existing : store.swap(resource.id, space, name, existing, marked);
    if (last === undefined) continue;
    if (!gone) return { state: last, gone };
    removeContents(backend, last.object, resource);
    const state = store.swap(resource.id, space, name, last, undefined);
    if (state !== undefined) return { state, gone };
  }
}

function admissionOf(
  request: WriteRequest,
  operation: Admission["operation"],
  object: KubeObject | undefined,
  oldObject: KubeObject | undefined,
): Admission {
  const { resource, namespace = "", subresource } = request.target;
  const name = request.target.name || (object?.metadata.name ?? "");
  const kind = { CREATE: "CreateOptions", UPDATE: "UpdateOptions", DELETE: "DeleteOptions" }[operation];
  return {
    operation,
    resource,
    subresource,
    namespace: resource.id === NAMESPACES ? name : namespace,
    name,
    user: request.user,
    dryRun: request.dryRun,
    options: { kind, apiVersion: "meta.k8s.io/v1", ...request.options },
    object,
    oldObject,
  };
}

function requireNamespace(store: Store, namespace: string | undefined): void {
  if (namespace !== undefined && store.get(NAMESPACES, "", namespace) === undefined) {
    throw status.notFound({ group: "", plural: NAMESPACES }, namespace);
  }
}

function freeName(store: Store, resource: Resource, namespace: string, object: KubeObject): string {
  const { name = "", generateName: base = "" } = object.metadata;
  if (name !== "") return name;
  let generated = generateName(base);
  for (let attempt = 1; attempt < NAME_ATTEMPTS; attempt++) {
    if (store.get(resource.id, namespace, generated) === undefined) break;
    generated = generateName(base);
  }
  return generated;
}

function nameTaken(resource: Resource, existing: KubeObject, chosen: boolean): status.StatusError {
  const { name = "", deletionTimestamp } = existing.metadata;
  const refusal = (chosen ? status.alreadyExists : status.generatedNameTaken)(resource, name);
  if (deletionTimestamp !== undefined) {
    refusal.status.message = `object is being deleted: ${refusal.status.message}`;
  }
  return refusal;
}

function requireUid(
  resource: Resource,
  space: string,
  name: string,
  wanted: string | undefined,
  uid: string,
): void {
  if (wanted === undefined || wanted === "" || wanted === uid) return;
  const path = keyOf(space, name).replace(/^\//, "");
  throw status.conflict(
    resource,
    name,
    `StorageError: invalid object, Code: 4, Key: /registry/${resource.plural}/${path}, ResourceVersion: 0, ` +
      `AdditionalErrorMsg: Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${uid}`,
  );
}

/** The main path leaves `status` alone where that has a path of its own, which leaves all else alone. */
function onlyItsPart(target: Target, existing: KubeObject, changed: KubeObject): KubeObject {
  const [base, other] = target.subresource === "status" ? [existing, changed] : [changed, existing];
  if (!target.resource.statusSubresource) return changed;
  const { status: _status, ...object } = base;
  const { resourceVersion: _version, ...metadata } = base.metadata;
  const version = changed.metadata.resourceVersion;
  return {
    ...(object as KubeObject),
    metadata: { ...metadata, ...(version === undefined ? {} : { resourceVersion: version }) },
    ...(other.status === undefined ? {} : { status: other.status }),
  };
}

function requireVersion(resource: Resource, existing: KubeObject, next: KubeObject): void {
  const { name = "", resourceVersion: version = "" } = next.metadata;
  if (version === "" || version === "0") {
    if (resource.unconditionalUpdate) return;
    const text = "Invalid value: 0: must be specified for an update";
    const field = "metadata.resourceVersion";
    throw status.invalid(resource.plural, resource.group, name, field, "FieldValueInvalid", text);
  }
  if (!/^\d+$/.test(version)) throw status.untranslated(status.notANumber(version));
  if (version !== existing.metadata.resourceVersion) throw status.conflict(resource, name, status.STALE);
}

/** A PUT that names another uid has been refused as a conflict before; this is left for patches. */
function requireSameUid(resource: Resource, existing: KubeObject, next: KubeObject): void {
  const { name = "", uid = "" } = next.metadata;
  if (uid === "" || uid === existing.metadata.uid) return;
  const text = `Invalid value: ${JSON.stringify(uid)}: field is immutable`;
  throw status.invalid(resource.kind, resource.group, name, "metadata.uid", "FieldValueInvalid", text);
}

function withVersionOf(existing: KubeObject, next: KubeObject): KubeObject {
  const { resourceVersion } = existing.metadata;
  return resourceVersion === undefined ? next : { ...next, metadata: { ...next.metadata, resourceVersion } };
}

/** With a namespace goes all that is in it, with a definition every object of its kind; at once, finalizers or not. */
function removeContents({ store, table }: Backend, object: KubeObject, resource: Resource): void {
  const { name = "" } = object.metadata;
  const custom = resource.id === DEFINITIONS ? customResource(object) : undefined;
  const contents =
    resource.id === NAMESPACES
      ? [...table.all()].flatMap(({ id, namespaced }) =>
          namespaced ? store.list(id, name).map((item) => [id, item] as const) : [],
        )
      : custom === undefined
        ? []
        : store.list(custom.id).map((item) => [custom.id, item] as const);
  for (const [id, item] of contents) {
    const { namespace: space = "", name: itemName = "" } = item.object.metadata;
    store.swap(id, space, itemName, item, undefined);
  }
}
