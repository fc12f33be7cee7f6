import { setTimeout as delay } from "node:timers/promises";
import type { JsonObject } from "../../src/json/value.ts";
import type { ApiClient } from "../cluster/api-client.ts";

/** A kind of one version whose objects live in namespaces. */
export interface CustomKind {
  readonly group: string;
  readonly kind: string;
  /** Default: v1. */
  readonly version?: string;
  /** Schema of the whole object: no other field is taken. */
  readonly schema: JsonObject;
}

const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** Installs a kind, and returns once it is served. */
export async function installKind(api: ApiClient, custom: CustomKind): Promise<void> {
  const { status, body } = await api.request("POST", DEFINITIONS, definition(custom));
  if (status !== 201) throw new Error(`POST ${DEFINITIONS}: ${status} ${JSON.stringify(body)}`);
  const path = `/apis/${custom.group}/${versionOf(custom)}/${pluralOf(custom)}`;
  while ((await api.request("GET", path)).status !== 200) await delay(100);
}

const versionOf = ({ version = "v1" }: CustomKind): string => version;
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
      versions: [
        { name: versionOf(custom), served: true, storage: true, schema: { openAPIV3Schema: schema } },
      ],
    },
  };
}
