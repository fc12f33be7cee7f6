import { isDeepStrictEqual } from "node:util";
import type { Json } from "../../src/json/value.ts";
import { createUnlessTaken } from "./create.ts";
import { endsDeletion } from "./deletion.ts";
import { inNamespace, requireNameOfPath, succeeding } from "./metadata.ts";
import type { KubeObject } from "./objects.ts";
import type { Resource } from "./resource.ts";
import type { Target } from "./router.ts";
import * as status from "./status.ts";
import { keyOf, Stored } from "./stored.ts";
import { admissionOf, type Backend, type WriteRequest } from "./write.ts";

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

/** What came of an update. Of a dry run, `state` is what would have been. */
export interface Updated {
  readonly state: Stored;
  readonly created: boolean;
}

/**
 * Changes an object, with optimistic locking where the new state names a resourceVersion. A change that changes
 * nothing is no change.
 * @throws StatusError
 */
export async function update(backend: Backend, request: WriteRequest, wanted: Update): Promise<Updated> {
  const { resource, name, namespace } = request.target;
  const { store } = backend;
  const space = namespace ?? "";
  for (;;) {
    const existing = store.get(resource.id, space, name);
    requireUid(request.target, wanted.uid, existing);
    if (existing === undefined) {
      if (wanted.create === undefined) throw status.notFound(resource, name);
      const creation = await createUnlessTaken(backend, request, wanted.create());
      if (creation.kind === "taken") continue;
      return { state: creation.state, created: true };
    }
    const changed = inNamespace(wanted.change(existing.object), namespace);
    requireNameOfPath(changed, name);
    const object = resource.complete(onlyItsPart(request.target, existing.object, changed));
    const admission = admissionOf(request, "UPDATE", object, existing.object);
    const admitted = (await backend.admit(admission, request.report)) ?? object;
    requireVersion(resource, existing.object, admitted);
    requireSameUid(resource, existing.object, admitted);

    const next = succeeding(existing.object, admitted);
    if (isDeepStrictEqual(next, existing.object)) return { state: existing, created: false };
    if (request.dryRun) return { state: new Stored(next, existing.revision), created: false };
    const ends = endsDeletion(existing.object, next);
    const state = store.swap(resource.id, space, name, existing, ends ? undefined : next);
    if (state === undefined) continue;
    return { state: ends ? new Stored(next, existing.revision) : state, created: false };
  }
}

function requireUid(
  { resource, namespace = "", name }: Target,
  wanted: string | undefined,
  existing: Stored | undefined,
): void {
  const uid = existing?.object.metadata.uid ?? "";
  if (wanted === undefined || wanted === "" || wanted === uid) return;
  if (existing === undefined && !resource.createOnUpdate) throw status.notFound(resource, name);
  const path = keyOf(namespace, name).replace(/^\//, "");
  throw status.conflict(
    resource,
    name,
    `StorageError: invalid object, Code: 4, Key: /registry/${resource.plural}/${path}, ResourceVersion: 0, ` +
      `AdditionalErrorMsg: Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${uid}`,
  );
}

/**
 * The main path leaves `status` alone where that has a path of its own. That path leaves all else alone but, of a
 * built-in kind, the metadata (kubernetes pkg/registry, the status strategies; apiextensions-apiserver for the others).
 */
function onlyItsPart(
  { resource, subresource }: Target,
  existing: KubeObject,
  changed: KubeObject,
): KubeObject {
  if (!resource.statusSubresource) return changed;
  if (subresource !== "status") return withStatus(changed, existing.status);
  const metadata = resource.custom ? atVersionOf(changed, existing) : changed.metadata;
  return withStatus({ ...existing, metadata }, changed.status);
}

function withStatus(object: KubeObject, status: Json | undefined): KubeObject {
  const { status: _, ...rest } = object;
  return { ...(rest as KubeObject), ...(status === undefined ? {} : { status }) };
}

/** The metadata as it is, with the resourceVersion that the request names. */
function atVersionOf(changed: KubeObject, existing: KubeObject): KubeObject["metadata"] {
  const { resourceVersion: _, ...metadata } = existing.metadata;
  const version = changed.metadata.resourceVersion;
  return { ...metadata, ...(version === undefined ? {} : { resourceVersion: version }) };
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
