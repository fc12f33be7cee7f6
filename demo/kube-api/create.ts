import { generateName, initialized, inNamespace, requireName, withoutSystemFields } from "./metadata.ts";
import type { KubeObject } from "./objects.ts";
import { NAMESPACES, type Resource } from "./resource.ts";
import * as status from "./status.ts";
import type { Store } from "./store.ts";
import { Stored } from "./stored.ts";
import { admissionOf, type Backend, type WriteRequest } from "./write.ts";

const NAME_ATTEMPTS = 8;

/**
 * Creates an object.
 * @returns what is kept now or, of a dry run, would be
 * @throws StatusError
 */
export async function create(backend: Backend, request: WriteRequest, sent: KubeObject): Promise<Stored> {
  if ((sent.metadata.resourceVersion ?? "") !== "") {
    throw status.untranslated("resourceVersion should not be set on objects to be created");
  }
  const { resource } = request.target;
  const outcome = await createUnlessTaken(backend, request, sent);
  if (outcome.kind === "created") return outcome.state;
  throw nameTaken(resource, outcome.by.object, sent.metadata.name === outcome.by.object.metadata.name);
}

export type Creation =
  | { readonly kind: "created"; readonly state: Stored }
  /** There is an object of that name. */
  | { readonly kind: "taken"; readonly by: Stored };

/** @throws StatusError for every reason but that the name is taken */
export async function createUnlessTaken(
  backend: Backend,
  request: WriteRequest,
  sent: KubeObject,
): Promise<Creation> {
  const { resource, namespace } = request.target;
  const { store } = backend;
  const object = resource.complete(inNamespace(withoutSystemFields(sent), namespace));
  requireName(object, resource);
  if (object.metadata.name) request.report.name = object.metadata.name;
  requireNamespace(store, namespace);
  const admission = admissionOf(request, "CREATE", object, undefined);
  const admitted = inNamespace((await backend.admit(admission, request.report)) ?? object, namespace);
  // The namespace may have gone meanwhile, with all that was in it.
  requireNamespace(store, namespace);

  const space = namespace ?? "";
  const name = freeName(store, resource, space, admitted);
  const by = store.get(resource.id, space, name);
  if (by !== undefined) return { kind: "taken", by };
  const next = initialized(admitted, resource, name);
  const state = request.dryRun
    ? new Stored(next, store.revision)
    : store.swap(resource.id, space, name, undefined, next);
  if (state === undefined) throw new Error(`${resource.id} ${name} came into being between two statements`);
  return { kind: "created", state };
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

/** @param chosen the client asked for this name; else it was generated */
function nameTaken(resource: Resource, existing: KubeObject, chosen: boolean): status.StatusError {
  const { name = "", deletionTimestamp } = existing.metadata;
  const refusal = (chosen ? status.alreadyExists : status.generatedNameTaken)(resource, name);
  if (deletionTimestamp !== undefined) {
    refusal.status.message = `object is being deleted: ${refusal.status.message}`;
  }
  return refusal;
}
