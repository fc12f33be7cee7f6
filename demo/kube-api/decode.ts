import { parse as parseYaml } from "yaml";
import { isObject, type Json } from "../../src/json/value.ts";
import type { KubeObject } from "./objects.ts";
import { text } from "./patch.ts";
import type { Resource } from "./resource.ts";
import { badRequest, unsupportedMediaType } from "./status.ts";

type Check = (value: Json) => boolean;

const isText: Check = (value) => typeof value === "string";
const isTextMap: Check = (value) =>
  isObject(value) && Object.values(value).every((entry) => typeof entry === "string");
const isTextList: Check = (value) =>
  Array.isArray(value) && value.every((entry) => typeof entry === "string");

/** The fields of `metadata` that the server itself reads. Absent and null are the same. */
const METADATA: Readonly<Record<string, Check>> = {
  name: isText,
  generateName: isText,
  namespace: isText,
  uid: isText,
  resourceVersion: isText,
  creationTimestamp: isText,
  deletionTimestamp: isText,
  deletionGracePeriodSeconds: (value) => typeof value === "number",
  labels: isTextMap,
  annotations: isTextMap,
  finalizers: isTextList,
};

/**
 * The body of a POST or PUT.
 * @throws StatusError 400, 415
 */
export function parseBody(contentType: string, body: string): Json {
  if (contentType !== "" && contentType !== "application/json" && contentType !== "application/yaml") {
    throw unsupportedMediaType(["application/json", "application/yaml"]);
  }
  try {
    return contentType === "application/yaml" ? parseYaml(body) : JSON.parse(body);
  } catch (error) {
    throw badRequest(`the object provided is unrecognized (must be of type JSON): ${text(error)}`);
  }
}

/**
 * A value as an object of a resource: `kind` and `apiVersion` filled in where absent, nulls of `metadata` left out.
 * @throws StatusError 400 where it is another kind, or `metadata` cannot be read
 */
export function asKubeObject(value: Json, resource: Resource): KubeObject {
  const expected = apiVersionOf(resource);
  if (!isObject(value)) throw badRequest(`json: cannot unmarshal into a ${resource.kind}: not an object`);
  const { kind = resource.kind, apiVersion = expected, metadata = {}, ...fields } = value;
  if (apiVersion !== expected) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
    );
  }
  if (kind !== resource.kind) {
    throw badRequest(`${kind} in version "${resource.version}" cannot be handled as a ${resource.kind}`);
  }
  if (!isObject(metadata)) throw unreadable(resource, "metadata");
  const present = Object.entries(metadata).filter(([, entry]) => entry !== null);
  for (const [field, entry] of present) {
    const check = Object.hasOwn(METADATA, field) ? METADATA[field] : undefined;
    if (check?.(entry as Json) === false) throw unreadable(resource, `metadata.${field}`);
  }
  return { kind: resource.kind, apiVersion: expected, metadata: Object.fromEntries(present), ...fields };
}

export const apiVersionOf = ({ group, version }: Resource): string =>
  group === "" ? version : `${group}/${version}`;

const unreadable = ({ kind, version }: Resource, field: string) =>
  badRequest(
    `${kind} in version "${version}" cannot be handled as a ${kind}: json: cannot unmarshal ${field}: wrong type`,
  );
