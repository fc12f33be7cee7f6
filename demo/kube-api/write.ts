import type { JsonObject } from "../../src/json/value.ts";
import type { Report } from "./admission.ts";
import type { Admission } from "./hooks.ts";
import type { KubeObject, UserInfo } from "./objects.ts";
import { NAMESPACES } from "./resource.ts";
import type { ResourceTable } from "./resource-table.ts";
import type { Target } from "./router.ts";
import type { Store } from "./store.ts";

/** What writing needs. */
export interface Backend {
  readonly store: Store;
  readonly table: ResourceTable;
  /** As `admit` of admission.ts, with the hooks of now. */
  readonly admit: (request: Admission, report: Report) => Promise<KubeObject | undefined>;
}

/** A write that is asked for. */
export interface WriteRequest {
  readonly target: Target;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** The options of the request, for admission: without `kind` and `apiVersion`. */
  readonly options: JsonObject;
  readonly report: Report;
}

const OPTIONS_KINDS = { CREATE: "CreateOptions", UPDATE: "UpdateOptions", DELETE: "DeleteOptions" } as const;

/** A write as admission sees it. */
export function admissionOf(
  request: WriteRequest,
  operation: Admission["operation"],
  object: KubeObject | undefined,
  oldObject: KubeObject | undefined,
): Admission {
  const { resource, namespace = "", subresource } = request.target;
  const name = request.target.name || (object?.metadata.name ?? "");
  return {
    operation,
    resource,
    subresource,
    namespace: resource.id === NAMESPACES ? name : namespace,
    name,
    user: request.user,
    dryRun: request.dryRun,
    options: { kind: OPTIONS_KINDS[operation], apiVersion: "meta.k8s.io/v1", ...request.options },
    object,
    oldObject,
  };
}
