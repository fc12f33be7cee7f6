import type { JsonObject } from "../../src/json/value.ts";
import { at, isObject } from "../../src/json/value.ts";
import { timestamp } from "./metadata.ts";
import type { KubeObject } from "./objects.ts";
import type { Resource } from "./resource.ts";
import { conflict } from "./status.ts";

/** What a DELETE comes to. */
export type Deletion =
  /** Gone; where a kind has a grace period, after one more change, to an object that is being deleted. */
  | { readonly kind: "remove"; readonly marked: KubeObject | undefined }
  /** Kept, as an object that is being deleted. */
  | { readonly kind: "mark"; readonly marked: KubeObject }
  /** Being deleted already, and no sooner for this request. */
  | { readonly kind: "pending" };

const DEFAULT_GRACE_SECONDS = 30;
const ENDED: ReadonlySet<unknown> = new Set(["Succeeded", "Failed"]);

/**
 * Finalizers hold any object back; the grace period holds back a pod that runs on a node, until the one who runs it
 * deletes it with `gracePeriodSeconds: 0` (apiserver registry/rest/delete.go). Propagation policies are not
 * imitated: there is no garbage collector.
 * @param options `DeleteOptions`
 * @param now milliseconds since the epoch
 */
export function deletionOf(
  object: KubeObject,
  resource: Resource,
  options: JsonObject,
  now: number,
): Deletion {
  const { deletionTimestamp, deletionGracePeriodSeconds: remaining = 0, finalizers = [] } = object.metadata;
  const grace = graceOf(object, resource, options);
  const deleting = deletionTimestamp !== undefined;
  if (deleting && remaining > 0 && grace >= remaining) return { kind: "pending" };
  const ended = deleting && remaining === 0;
  const marked = ended ? undefined : markedFor(object, grace, now);
  if (grace === 0 && finalizers.length === 0) {
    return { kind: "remove", marked: resource.gracefulDeletion ? marked : undefined };
  }
  return marked === undefined ? { kind: "pending" } : { kind: "mark", marked };
}

function markedFor(object: KubeObject, grace: number, now: number): KubeObject {
  const times = { deletionTimestamp: timestamp(now + grace * 1000), deletionGracePeriodSeconds: grace };
  return { ...object, metadata: { ...object.metadata, ...times } };
}

/** Seconds. */
function graceOf(object: KubeObject, resource: Resource, options: JsonObject): number {
  const runs = resource.gracefulDeletion && Boolean(at(object.spec, "nodeName"));
  if (!runs || ENDED.has(at(object.status, "phase"))) return 0;
  const wanted = options.gracePeriodSeconds ?? at(object.spec, "terminationGracePeriodSeconds");
  return typeof wanted === "number" ? Math.max(wanted, wanted < 0 ? 1 : 0) : DEFAULT_GRACE_SECONDS;
}

/** True where an update takes the last finalizer off an object that only waits for that. */
export function endsDeletion(existing: KubeObject, next: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = existing.metadata;
  const { finalizers = [] } = next.metadata;
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && finalizers.length === 0;
}

/** @throws StatusError 409 where `DeleteOptions.preconditions` name another uid or resourceVersion */
export function requirePreconditions(object: KubeObject, resource: Resource, options: JsonObject): void {
  const wanted = isObject(options.preconditions) ? options.preconditions : {};
  const { uid, resourceVersion, name = "" } = object.metadata;
  const what = { group: resource.group, plural: resource.kind };
  if (wanted.uid !== undefined && wanted.uid !== uid) {
    const why = `the UID in the precondition (${wanted.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
    throw conflict(what, name, why);
  }
  if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== resourceVersion) {
    const why = `the ResourceVersion in the precondition (${wanted.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`;
    throw conflict(what, name, why);
  }
}
