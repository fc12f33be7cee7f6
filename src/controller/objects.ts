import { FIELD_MANAGER } from "../contract/names.ts";
import { asObject, asString, at, type JsonObject, objectsIn } from "../json/value.ts";
import type { KubeConnection } from "../kube/connection.ts";
import { KubeError } from "../kube/error.ts";
import { metadataOf, nameOf } from "./facts/slim.ts";
import { named } from "./owned.ts";
import { collectionPath, objectPath, type ResourceName } from "./resources.ts";

const APPLY = "application/apply-patch+yaml";
const JSON_PATCH = "application/json-patch+json";
const PAGE = "500";

/** What is made by POST and changed by PUT alone. */
const NEVER_APPLIED: readonly ResourceName[] = ["endpointslices", "leases", "events", "configmaps"];

/**
 * Reads and writes objects so that no write of a paused process can land over a newer one: what is not there is POSTed, what is
 * changed carries the resourceVersion as read, what is deleted its uid and resourceVersion. Rejects with a KubeError.
 */
export class Objects {
  readonly #connection: KubeConnection;
  readonly #timeoutMs: number;

  /** @param timeoutMs how long any one call may take */
  constructor(connection: KubeConnection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
  }

  /** Undefined where there is none. */
  async read(resource: ResourceName, namespace: string, name: string): Promise<JsonObject | undefined> {
    try {
      return await this.#connection.send({
        method: "GET",
        path: objectPath(resource, namespace, name),
        signal: this.#deadline(),
      });
    } catch (error) {
      if (isCode(error, 404)) return undefined;
      throw error;
    }
  }

  /** All objects of a kind, of all namespaces where none is given. @param labelSelector default: all */
  async list(resource: ResourceName, namespace?: string, labelSelector?: string): Promise<JsonObject[]> {
    const items: JsonObject[] = [];
    let next: string | undefined;
    do {
      const page = await this.#connection.send({
        method: "GET",
        path: collectionPath(resource, namespace),
        query: {
          limit: PAGE,
          ...(labelSelector === undefined ? {} : { labelSelector }),
          ...(next === undefined ? {} : { continue: next }),
        },
        signal: this.#deadline(),
      });
      items.push(...objectsIn(page.items));
      next = asString(at(page, "metadata", "continue")) || undefined;
    } while (next !== undefined);
    return items;
  }

  /** What the API server's clock says, by the header of an answer to a question that we may ask. Milliseconds since 1970. */
  async serverTime(namespace: string): Promise<number> {
    const path = collectionPath("services", namespace);
    const response = await this.#connection.open({
      method: "GET",
      path,
      query: { limit: "1" },
      signal: this.#deadline(),
    });
    response.resume();
    const time = Date.parse(response.headers.date ?? "");
    if (Number.isNaN(time)) throw new KubeError(`GET ${path}: the answer has no date`, { code: 0 });
    return time;
  }

  /** POST. Where somebody was faster, what is there now. @throws KubeError */
  async create(resource: ResourceName, object: JsonObject): Promise<JsonObject> {
    const { namespace, name } = placeOf(object);
    try {
      const created = await this.#connection.send({
        method: "POST",
        path: collectionPath(resource, namespace),
        query: { fieldManager: FIELD_MANAGER },
        body: object,
        signal: this.#deadline(),
      });
      return await this.#own(resource, object, created);
    } catch (error) {
      const there = isCode(error, 409) ? await this.read(resource, namespace, name) : undefined;
      if (there === undefined) throw error;
      return there;
    }
  }

  /** Server-side apply of exactly these fields over the live object. */
  apply(resource: ResourceName, object: JsonObject, live: JsonObject): Promise<JsonObject> {
    const { namespace, name } = placeOf(object);
    const metadata = { ...metadataOf(object), resourceVersion: metadataOf(live).resourceVersion ?? "" };
    return this.#connection.send({
      method: "PATCH",
      path: objectPath(resource, namespace, name),
      query: { fieldManager: FIELD_MANAGER, force: "true" },
      contentType: APPLY,
      body: { ...object, metadata },
      signal: this.#deadline(),
    });
  }

  /** PUT of the object as read, with what was changed in it. @param timeoutMs default: as any other call */
  replace(resource: ResourceName, object: JsonObject, timeoutMs?: number): Promise<JsonObject> {
    const { namespace, name } = placeOf(object);
    return this.#connection.send({
      method: "PUT",
      path: objectPath(resource, namespace, name),
      query: { fieldManager: FIELD_MANAGER },
      body: object,
      signal: timeoutMs === undefined ? this.#deadline() : AbortSignal.timeout(timeoutMs),
    });
  }

  /** JSON patch (RFC 6902), under the condition that nobody has written since the object was read. */
  patch(
    resource: ResourceName,
    place: { namespace: string; name: string; resourceVersion: string },
    operations: readonly JsonObject[],
  ): Promise<JsonObject> {
    const test = { op: "test", path: "/metadata/resourceVersion", value: place.resourceVersion };
    return this.#connection.send({
      method: "PATCH",
      path: objectPath(resource, place.namespace, place.name),
      query: { fieldManager: FIELD_MANAGER },
      contentType: JSON_PATCH,
      body: [test, ...operations],
      signal: this.#deadline(),
    });
  }

  /**
   * Asks for the deletion of a pod (policy/v1), which a disruption budget may refuse with 429: of exactly this pod, as it is now.
   *
   * @param signal how long that is to be tried
   * @returns false where the pod is gone already, or is being deleted
   */
  async evict(
    { namespace, name, uid }: { namespace: string; name: string; uid: string },
    signal: AbortSignal,
  ): Promise<boolean> {
    const live = metadataOf(await this.read("pods", namespace, name));
    if (live.uid !== uid || live.deletionTimestamp !== undefined) return false;
    const preconditions = { uid, resourceVersion: live.resourceVersion ?? "" };
    await this.#connection.send({
      method: "POST",
      path: `${objectPath("pods", namespace, name)}/eviction`,
      body: {
        apiVersion: "policy/v1",
        kind: "Eviction",
        metadata: { namespace, name },
        deleteOptions: { preconditions },
      },
      signal: AbortSignal.any([signal, this.#deadline()]),
    });
    return true;
  }

  /** Deletes the object as it was read; one that is gone already is fine. */
  async remove(resource: ResourceName, object: JsonObject): Promise<void> {
    const { namespace, name } = placeOf(object);
    const { uid = "", resourceVersion = "" } = metadataOf(object);
    try {
      await this.#connection.send({
        method: "DELETE",
        path: objectPath(resource, namespace, name),
        body: { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid, resourceVersion } },
        signal: this.#deadline(),
      });
    } catch (error) {
      if (!isCode(error, 404)) throw error;
    }
  }

  /**
   * A POST leaves its fields with an owner that no apply ever takes anything from: without this, a field that is no longer
   * wanted would stay for ever, and what the server filled in would be ours. Slices are never applied, and keep theirs.
   */
  async #own(resource: ResourceName, wanted: JsonObject, created: JsonObject): Promise<JsonObject> {
    const { managedFields, resourceVersion } = metadataOf(created);
    const entries = Array.isArray(managedFields) ? (managedFields as JsonObject[]) : [];
    const index = entries.findIndex(
      ({ manager, operation }) => manager === FIELD_MANAGER && operation === "Update",
    );
    if (index === -1 || NEVER_APPLIED.includes(resource)) return created;
    const place = { ...placeOf(created), resourceVersion: asString(resourceVersion) ?? "" };
    const path = `/metadata/managedFields/${index}`;
    return this.patch(resource, place, [
      { op: "replace", path: `${path}/operation`, value: "Apply" },
      {
        op: "replace",
        path: `${path}/fieldsV1`,
        value: named(asObject(entries[index]?.fieldsV1) ?? {}, wanted),
      },
    ]);
  }

  #deadline(): AbortSignal {
    return AbortSignal.timeout(this.#timeoutMs);
  }
}

export const isCode = (error: unknown, code: number): boolean =>
  error instanceof KubeError && error.code === code;

const placeOf = (object: JsonObject): { namespace: string; name: string } => ({
  namespace: asString(metadataOf(object).namespace) ?? "",
  name: nameOf(object),
});
