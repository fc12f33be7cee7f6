import type { JsonObject } from "../../src/json/value.ts";
import { customResource } from "./definitions.ts";
import { deletionOf, requirePreconditions } from "./deletion.ts";
import type { KubeObject } from "./objects.ts";
import { DEFINITIONS, NAMESPACES, type Resource } from "./resource.ts";
import * as status from "./status.ts";
import type { Store } from "./store.ts";
import { Stored } from "./stored.ts";
import { admissionOf, type Backend, type WriteRequest } from "./write.ts";

/** What came of a deletion: the last state, and whether the object is gone. */
export interface Removed {
  readonly state: Stored;
  readonly gone: boolean;
}

/**
 * Deletes an object, or marks it as being deleted.
 * @param options `DeleteOptions`
 * @throws StatusError
 */
export async function remove(backend: Backend, request: WriteRequest, options: JsonObject): Promise<Removed> {
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
    const { marked } = deletion;
    const gone = deletion.kind === "remove";
    if (request.dryRun) {
      return { state: new Stored(marked ?? existing.object, existing.revision), gone };
    }
    const last = marked === undefined ? existing : store.swap(resource.id, space, name, existing, marked);
    if (last === undefined) continue;
    if (!gone) return { state: last, gone };
    removeContents(backend, last.object, resource);
    const state = store.swap(resource.id, space, name, last, undefined);
    if (state !== undefined) return { state, gone };
  }
}

/** With a namespace goes all that is in it, with a definition every object of its kind; at once, finalizers or not. */
function removeContents({ store, table }: Backend, object: KubeObject, { id }: Resource): void {
  if (id === NAMESPACES) {
    for (const inside of table.all()) {
      if (inside.namespaced) removeAll(store, inside.id, object.metadata.name);
    }
  }
  const custom = id === DEFINITIONS ? customResource(object) : undefined;
  if (custom !== undefined) removeAll(store, custom.id, undefined);
}

function removeAll(store: Store, id: string, namespace: string | undefined): void {
  for (const item of store.list(id, namespace)) {
    const { namespace: space = "", name = "" } = item.object.metadata;
    store.swap(id, space, name, item, undefined);
  }
}
