import { asObject, type JsonObject } from "../json/value.ts";

/** Set by the API server: a manifest that names them cannot be applied elsewhere, or later. */
const SERVERS_OWN = [
  "managedFields",
  "resourceVersion",
  "uid",
  "creationTimestamp",
  "generation",
  "selfLink",
];

/** What `kubectl apply` keeps for itself. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** A live object as a manifest that can be applied: without its status, and without what the API server sets. */
export function plain(object: JsonObject): JsonObject {
  const { status: _status, ...rest } = object;
  const metadata = Object.fromEntries(
    Object.entries(asObject(object.metadata) ?? {}).filter(([key]) => !SERVERS_OWN.includes(key)),
  );
  const { [LAST_APPLIED]: _applied, ...annotations } = asObject(metadata.annotations) ?? {};
  const isAnnotated = Object.keys(annotations).length > 0;
  const { annotations: _before, ...others } = metadata;
  return { ...rest, metadata: isAnnotated ? { ...others, annotations } : others };
}
