import { asObject, type JsonObject } from "../../../src/json/value.ts";

/** What the API server makes anew for every object: two creations of one object never have it in common. */
const SYSTEM_FIELDS = ["uid", "creationTimestamp", "resourceVersion", "generation", "managedFields"] as const;

/**
 * A pod as it was answered, made fit to be sent again and to be compared: without what the API server makes anew for
 * every object. A generated name goes too.
 *
 * @param sent as which it was created
 */
export function asSent(answered: JsonObject, sent: JsonObject): JsonObject {
  const metadata = { ...asObject(answered.metadata) };
  for (const field of SYSTEM_FIELDS) delete metadata[field];
  if (asObject(sent.metadata)?.name === undefined) delete metadata.name;
  const { status: _, ...pod } = answered;
  return { ...pod, metadata };
}

/** With one name for every volume that the ServiceAccount admission plugin adds under a random one. */
export function withoutRandomNames(pod: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(pod).replaceAll(/\bkube-api-access-[a-z0-9]{5}\b/g, "kube-api-access"));
}
