import { FIELD_MANAGER } from "../contract/names.ts";
import { asObject, asString, at, type JsonObject, objectsIn } from "../json/value.ts";
import type { KubeConnection } from "./connection.ts";
import { KubeError } from "./error.ts";

const COLLECTION = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const APPLY = "application/apply-patch+yaml";

/** Makes the webhook configuration what is desired, whole, by server-side apply. */
export async function applyWebhooks(connection: KubeConnection, desired: JsonObject): Promise<void> {
  await apply(connection, desired);
}

/**
 * Hands out the authority to every webhook of an existing configuration, and touches nothing else: only `caBundle` is applied,
 * entry by entry, as the list is keyed by name. The resourceVersion as read goes along, so that an entry which is removed in
 * between does not come back as half of one. Rejects where the configuration is not there: a chart makes it.
 */
export async function applyCaBundle(connection: KubeConnection, desired: JsonObject): Promise<void> {
  const name = nameOf(desired);
  const [webhook] = objectsIn(desired.webhooks);
  const caBundle = asString(at(webhook ?? null, "clientConfig", "caBundle")) ?? "";
  const live = await connection.send({ method: "GET", path: `${COLLECTION}/${name}` });
  const entries = objectsIn(live.webhooks);
  if (entries.length === 0) throw new KubeError(`${name} has no webhooks`, { code: 404 });
  if (entries.every((entry) => at(entry, "clientConfig", "caBundle") === caBundle)) return;
  await apply(connection, {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name, resourceVersion: asObject(live.metadata)?.resourceVersion ?? "" },
    webhooks: entries.map((entry) => ({ name: entry.name ?? "", clientConfig: { caBundle } })),
  });
}

async function apply(connection: KubeConnection, object: JsonObject): Promise<void> {
  await connection.send({
    method: "PATCH",
    path: `${COLLECTION}/${nameOf(object)}?fieldManager=${FIELD_MANAGER}&force=true`,
    contentType: APPLY,
    body: object,
  });
}

const nameOf = (object: JsonObject): string =>
  encodeURIComponent(asString(at(object, "metadata", "name")) ?? "");
