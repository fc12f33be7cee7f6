import { randomInt, randomUUID } from "node:crypto";
import type { KubeObject, Metadata } from "./objects.ts";
import type { Resource } from "./resource.ts";
import { badRequest, invalid } from "./status.ts";

/** Without vowels and what looks like them, so that no word comes out (apimachinery util/rand). */
const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
const SUFFIX_LENGTH = 5;
const LONGEST_BASE = 63 - SUFFIX_LENGTH;

/** A name from `metadata.generateName`. */
export function generateName(base: string): string {
  const suffix = Array.from({ length: SUFFIX_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]);
  return base.slice(0, LONGEST_BASE) + suffix.join("");
}

/** A time as `metav1.Time` has it: whole seconds, UTC. */
export const timestamp = (milliseconds: number): string =>
  `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;

/** What a client may not set on create. */
export function withoutSystemFields(object: KubeObject): KubeObject {
  const {
    uid: _uid,
    creationTimestamp: _created,
    deletionTimestamp: _deleted,
    deletionGracePeriodSeconds: _grace,
    ...metadata
  } = object.metadata;
  return { ...object, metadata };
}

/** A new object, ready to be kept, under its final name. */
export function initialized(object: KubeObject, resource: Resource, name: string): KubeObject {
  const metadata = { ...object.metadata, name, uid: randomUUID(), creationTimestamp: timestamp(Date.now()) };
  if (resource.initialStatus === "sent") return { ...object, metadata };
  const { status: _status, ...rest } = object;
  const status = resource.initialStatus(object);
  return { ...(rest as KubeObject), metadata, ...(status === undefined ? {} : { status }) };
}

/** What the server alone sets: an update neither changes nor removes it. */
const LASTING = [
  "uid",
  "resourceVersion",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
] as const;

/** The new state of an object, with what an update cannot touch taken from the old one. */
export function succeeding(existing: KubeObject, next: KubeObject): KubeObject {
  const metadata: Metadata = { ...next.metadata };
  for (const field of LASTING) {
    if (existing.metadata[field] !== undefined)
      Object.assign(metadata, { [field]: existing.metadata[field] });
    else delete metadata[field];
  }
  return { ...next, metadata };
}

/**
 * The object with the namespace of the request.
 * @throws StatusError 400 where it names another one
 */
export function inNamespace(object: KubeObject, namespace: string | undefined): KubeObject {
  const { namespace: own, ...metadata } = object.metadata;
  if (namespace === undefined) return { ...object, metadata };
  if (own !== undefined && own !== "" && own !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  return { ...object, metadata: { ...metadata, namespace } };
}

/** @throws StatusError 422 for an object without a name, or with one that no path can hold */
export function requireName(object: KubeObject, resource: Resource): void {
  const { name = "", generateName: base = "" } = object.metadata;
  const refuse = (type: "FieldValueRequired" | "FieldValueInvalid", why: string) =>
    invalid(resource.kind, resource.group, name, "metadata.name", type, why);
  if (name === "" && base === "") {
    throw refuse("FieldValueRequired", "Required value: name or generateName is required");
  }
  if (name === "." || name === ".." || /[/%]/.test(name)) {
    throw refuse("FieldValueInvalid", `Invalid value: ${JSON.stringify(name)}: may not be used in a path`);
  }
}

/** @throws StatusError 400 where an object is sent to the path of another */
export function requireNameOfPath(object: KubeObject, name: string): void {
  const own = object.metadata.name ?? "";
  if (own === "") {
    throw badRequest(
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (own !== name) {
    throw badRequest(`the name of the object (${own}) does not match the name on the URL (${name})`);
  }
}
