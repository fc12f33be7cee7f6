import { setTimeout as delay } from "node:timers/promises";
import type { JsonObject } from "../../src/json/value.ts";
import type { ApiClient } from "../cluster/api-client.ts";

/** A kind of version v1 whose objects live in namespaces. */
export interface CustomKind {
  readonly group: string;
  readonly kind: string;
  /** Schema of the whole object: no other field is taken. */
  readonly schema: JsonObject;
}

const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** Installs a kind, and returns once it is served. */
export async function installKind(api: ApiClient, custom: CustomKind): Promise<void> {
  const { status, body } = await api.request("POST", DEFINITIONS, definition(custom));
  if (status !== 201) throw new Error(`POST ${DEFINITIONS}: ${status} ${JSON.stringify(body)}`);
  const path = `/apis/${custom.group}/v1/${pluralOf(custom)}`;
  while ((await api.request("GET", path)).status !== 200) await delay(100);
}

const pluralOf = ({ kind }: CustomKind): string => `${kind.toLowerCase()}s`;

function definition(custom: CustomKind): JsonObject {
  const { group, kind, schema } = custom;
  const plural = pluralOf(custom);
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  };
}
