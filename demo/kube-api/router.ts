import type { Resource } from "./resource.ts";
import type { ResourceTable } from "./resource-table.ts";
import { generic, noSuchPath, notFound } from "./status.ts";

export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete" | "deletecollection";

/** What a request is about. */
export interface Target {
  readonly verb: Verb;
  readonly resource: Resource;
  /** Undefined: in all namespaces, or in the cluster. */
  readonly namespace: string | undefined;
  /** Empty for the verbs on a collection. */
  readonly name: string;
  readonly subresource: "" | "status" | "eviction";
}

const ON_OBJECT: Readonly<Record<string, Verb>> = {
  GET: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};
const ON_COLLECTION: Readonly<Record<string, Verb>> = {
  GET: "list",
  POST: "create",
  DELETE: "deletecollection",
};
const ON_SUBRESOURCE: Readonly<Record<string, Readonly<Record<string, Verb>>>> = {
  status: { GET: "get", PUT: "update", PATCH: "patch" },
  eviction: { POST: "create" },
};

/**
 * The target of a request to `/api/…` or `/apis/…`.
 * @throws StatusError 404 where nothing is served at the path, 405 for a method that it does not know
 */
export function route(method: string, url: URL, table: ResourceTable): Target {
  const [root, ...rest] = url.pathname.split("/").slice(1).map(decode);
  const [group, version, path] =
    root === "api" ? ["", rest[0], rest.slice(1)] : [rest[0], rest[1], rest.slice(2)];
  if ((root !== "api" && root !== "apis") || group === undefined || version === undefined) throw noSuchPath();

  const { namespace, plural, name = "", subresource = "" } = place(path);
  const resource = plural === undefined ? undefined : table.find(group, version, plural);
  if (resource === undefined) throw noSuchPath();
  if (!resource.namespaced && namespace !== undefined) throw noSuchPath();
  const isEviction = subresource === "eviction" && resource.id === "pods";
  const isStatus = subresource === "status" && resource.statusSubresource;
  if (subresource !== "" && !isEviction && !isStatus) throw noSuchPath();
  if (resource.namespaced && namespace === undefined && name !== "") throw notFound(resource, name);

  const verbs = ON_SUBRESOURCE[subresource] ?? (name !== "" ? ON_OBJECT : ON_COLLECTION);
  const verb = verbs[method === "HEAD" ? "GET" : method];
  const known = resource.virtual ? verb === "create" : verb !== undefined;
  const anywhere = resource.namespaced && namespace === undefined;
  if (verb === undefined || !known || (anywhere && verb !== "list")) throw generic(405);
  return {
    verb: verb === "list" && isTrue(url.searchParams.get("watch")) ? "watch" : verb,
    resource,
    namespace,
    name,
    subresource: isEviction ? "eviction" : isStatus ? "status" : "",
  };
}

interface Place {
  readonly namespace?: string | undefined;
  readonly plural?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

/** `namespaces/x/pods/y/status` is in a namespace; `namespaces/x` and `namespaces/x/status` are the namespace itself. */
function place(path: readonly string[]): Place {
  const [first, second, third, ...further] = path;
  const itself = third === undefined || third === "status" || third === "finalize";
  const [namespace, plural, name, subresource, ...surplus] =
    first === "namespaces" && !itself ? [second, third, ...further] : [undefined, ...path];
  return surplus.length > 0 ? {} : { namespace, plural, name, subresource };
}

export const isTrue = (value: string | null): boolean => value === "1" || value === "true";

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw noSuchPath();
  }
}
