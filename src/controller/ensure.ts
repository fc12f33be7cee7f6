import type { JsonObject } from "../json/value.ts";
import type { Caches } from "./caches.ts";
import type { Desired } from "./desired/object.ts";
import { holds } from "./differs.ts";
import { namespaceOf } from "./facts/slim.ts";
import type { Objects } from "./objects.ts";

/** What is written by, and where what was written is noted at once. */
export interface Writing {
  readonly objects: Objects;
  readonly caches: Caches;
}

/** Makes an object, or writes what differs from what is there. Rejects with a KubeError. */
export async function ensure({ objects, caches }: Writing, wanted: Desired): Promise<void> {
  const { resource, name, object } = wanted;
  const cache = caches.of(resource);
  const live = cache.get(namespaceOf(object), name);
  if (live === undefined) cache.take(await objects.create(resource, object));
  else if (!holds(live, contentOf(object))) cache.take(await objects.apply(resource, object, live));
}

/** Without its type, which an object in a list does not say. */
function contentOf({ apiVersion: _apiVersion, kind: _kind, ...content }: JsonObject): JsonObject {
  return content;
}
