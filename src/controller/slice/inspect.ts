import { asString, at, type JsonObject, objectsIn } from "../../json/value.ts";
import type { PodFacts } from "../facts/pod.ts";
import { metadataOf } from "../facts/slim.ts";
import type { Objects } from "../objects.ts";
import { isAccountedFor, isForsaken } from "./endpoint.ts";
import { withoutEndpoints, withoutTerm } from "./mend.ts";
import { lastPodOf } from "./plan.ts";

/**
 * The slice as it should be after a look at the pods that it names, one by one at the API server: what a watch shows may lag
 * behind what a sidecar published a moment ago.
 *
 * @param slice as read just now: the pods are looked at after that
 * @param wish the user's wish to clear the term, if it is not obeyed yet
 */
export async function inspected(
  objects: Objects,
  namespace: string,
  slice: JsonObject,
  members: readonly PodFacts[],
  wish?: string,
): Promise<JsonObject> {
  const forsaken: JsonObject[] = [];
  for (const endpoint of objectsIn(slice.endpoints)) {
    const refers = at(endpoint, "targetRef", "uid") !== undefined;
    const isGone = refers
      ? isForsaken(endpoint, await podOf(objects, namespace, endpoint))
      : !isAccountedFor(endpoint, members);
    if (isGone) forsaken.push(endpoint);
  }
  const isOver = wish !== undefined || (await isLastPodGone(objects, namespace, slice));
  const living = forsaken.length === 0 ? slice : withoutEndpoints(slice, forsaken);
  return isOver ? withoutTerm(living, wish) : living;
}

async function podOf(
  objects: Objects,
  namespace: string,
  endpoint: JsonObject,
): Promise<JsonObject | undefined> {
  const name = asString(at(endpoint, "targetRef", "name"));
  return name === undefined ? undefined : objects.read("pods", namespace, name);
}

/** An empty slice whose last pod does not exist any more: nobody is left who could come back with that term. */
async function isLastPodGone(objects: Objects, namespace: string, slice: JsonObject): Promise<boolean> {
  const last = objectsIn(slice.endpoints).length === 0 ? lastPodOf(slice) : undefined;
  if (last === undefined) return false;
  const pod = await objects.read("pods", namespace, last.name);
  return metadataOf(pod).uid !== last.uid;
}
