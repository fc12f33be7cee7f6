import type { JsonObject } from "../../src/json/value.ts";
import { at } from "../../src/json/value.ts";
import type { ApiClient } from "../cluster/api-client.ts";

/** Kinds whose objects must be there before a pod that names them is admitted: these are not only tried. */
const NAMED_BY_PODS = ["PriorityClass", "ServiceAccount"];

/** Where the objects of a kind that is not `<apiVersion>/<kind>s` in lower case live. */
const PLURALS: Readonly<Record<string, string>> = {
  NetworkPolicy: "networkpolicies",
  PriorityClass: "priorityclasses",
};

const OF_THE_CLUSTER = ["ClusterRole", "ClusterRoleBinding", "MutatingWebhookConfiguration", "PriorityClass"];

/** The objects that others name come first. */
export const postedFirst = (objects: readonly JsonObject[]): JsonObject[] =>
  objects.toSorted((one, other) => Number(isNamed(other)) - Number(isNamed(one)));

const isNamed = ({ kind }: JsonObject): boolean => NAMED_BY_PODS.includes(String(kind));

/**
 * Creates an object by a server-side dry run, in which an unknown or a repeated field is an error. What pods name is created
 * in earnest, once.
 *
 * @throws Error where it is refused, or where the server warns
 */
export async function dryRun(api: ApiClient, object: JsonObject): Promise<void> {
  if (isNamed(object)) return create(api, object);
  await post(api, object, "&dryRun=All");
}

/** Creates an object, unless there is one of its name. @throws Error as {@link dryRun} */
export async function create(api: ApiClient, object: JsonObject): Promise<void> {
  await post(api, object, "");
}

async function post(api: ApiClient, object: JsonObject, query: string): Promise<void> {
  const path = `${pathOf(object)}?fieldValidation=Strict${query}`;
  const { status, headers, body } = await api.request("POST", path, object);
  const isThere = status === 409 && query === "";
  if (status !== 201 && !isThere) throw new Error(`POST ${path}: ${status} ${JSON.stringify(body)}`);
  if (headers.warning !== undefined) throw new Error(`POST ${path}: ${headers.warning}`);
}

function pathOf(object: JsonObject): string {
  const [kind, apiVersion] = [String(object.kind), String(object.apiVersion)];
  const group = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const namespace = OF_THE_CLUSTER.includes(kind)
    ? ""
    : `/namespaces/${String(at(object, "metadata", "namespace"))}`;
  return `${group}${namespace}/${PLURALS[kind] ?? `${kind.toLowerCase()}s`}`;
}
