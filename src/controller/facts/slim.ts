import { SLICE_MANAGER_LABEL } from "../../contract/slice-annotations.ts";
import { asObject, asString, at, type JsonObject } from "../../json/value.ts";

/** The object without what nobody here asks for: who set which field, and its status. */
export function slim(object: JsonObject): JsonObject {
  const { status: _status, ...rest } = object;
  const { managedFields: _managedFields, ...metadata } = asObject(object.metadata) ?? {};
  return { ...rest, metadata };
}

/** Kubernetes' own controllers, whose slices are many, and large. */
const BUILT_IN_MANAGERS = ["endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"];

/** An EndpointSlice; of one that Kubernetes keeps, only that it is there. */
export function slimSlice(slice: JsonObject): JsonObject {
  const manager = asString(at(slice, "metadata", "labels", SLICE_MANAGER_LABEL));
  const { endpoints, ...rest } = slim(slice);
  return manager !== undefined && BUILT_IN_MANAGERS.includes(manager) ? rest : { ...rest, endpoints };
}

export const metadataOf = (object: JsonObject | undefined): JsonObject => asObject(object?.metadata) ?? {};

export const nameOf = (object: JsonObject | undefined): string => asString(metadataOf(object).name) ?? "";

/** Empty for an object of the whole cluster. */
export const namespaceOf = (object: JsonObject): string => asString(metadataOf(object).namespace) ?? "";

/** Undefined where it is absent or empty. */
export const annotationOf = (object: JsonObject | undefined, key: string): string | undefined =>
  asString(at(object, "metadata", "annotations", key)) || undefined;

/** Undefined where it is absent or empty. */
export const labelOf = (object: JsonObject | undefined, key: string): string | undefined =>
  asString(at(object, "metadata", "labels", key)) || undefined;
