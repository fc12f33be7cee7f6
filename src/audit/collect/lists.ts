import { asObject, asString, at, type JsonObject, objectsIn } from "../../json/value.ts";
import type { KubeConnection } from "../../kube/connection.ts";
import { KubeError } from "../../kube/error.ts";
import type { AuditKind, Seen } from "../snapshot.ts";
import { slimPod } from "./slim.ts";

interface Resource {
  readonly prefix: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Belongs to no cluster that has not installed it: where it is not known, there is none. */
  readonly optional?: boolean;
  /** In these namespaces it is read too, as long as the rest is: what members must reach stands there. */
  readonly also?: readonly string[];
}

const resource = (prefix: string, plural: string, more: Partial<Resource> = {}): Resource => ({
  prefix,
  plural,
  namespaced: true,
  ...more,
});

/** Where each kind is. */
export const AUDITED: Readonly<Record<AuditKind, Resource>> = {
  Namespace: resource("/api/v1", "namespaces", { namespaced: false }),
  Node: resource("/api/v1", "nodes", { namespaced: false }),
  Pod: resource("/api/v1", "pods", { also: ["kube-system"] }),
  StatefulSet: resource("/apis/apps/v1", "statefulsets"),
  Service: resource("/api/v1", "services", { also: ["default"] }),
  Endpoints: resource("/api/v1", "endpoints"),
  EndpointSlice: resource("/apis/discovery.k8s.io/v1", "endpointslices", {
    also: ["default", "kube-system"],
  }),
  ConfigMap: resource("/api/v1", "configmaps"),
  NetworkPolicy: resource("/apis/networking.k8s.io/v1", "networkpolicies"),
  PodDisruptionBudget: resource("/apis/policy/v1", "poddisruptionbudgets"),
  PeerAuthentication: resource("/apis/security.istio.io/v1", "peerauthentications", { optional: true }),
  MutatingWebhookConfiguration: resource(
    "/apis/admissionregistration.k8s.io/v1",
    "mutatingwebhookconfigurations",
    { namespaced: false },
  ),
};

const PAGE = "500";

/** A list that changed under our feet (410) is read anew, so often. */
const TRIES = 3;

/** All objects of a kind. @param namespaces all of them where it is undefined */
export async function listAll(
  connection: KubeConnection,
  kind: AuditKind,
  namespaces: readonly string[] | undefined,
): Promise<Seen<JsonObject[]>> {
  const wanted = AUDITED[kind];
  try {
    const lists: JsonObject[][] = [];
    for (const path of pathsOf(wanted, namespaces)) lists.push(await listPath(connection, path));
    return { value: lists.flat().map((object) => reduced(kind, object)) };
  } catch (error) {
    if (wanted.optional && error instanceof KubeError && error.code === 404) return { value: [] };
    return { unseen: `${wanted.plural}: ${(error as Error).message}` };
  }
}

function pathsOf(
  { prefix, plural, namespaced, also = [] }: Resource,
  namespaces: readonly string[] | undefined,
): string[] {
  if (!namespaced || namespaces === undefined) return [`${prefix}/${plural}`];
  return [...new Set([...namespaces, ...also])].map(
    (name) => `${prefix}/namespaces/${encodeURIComponent(name)}/${plural}`,
  );
}

async function listPath(connection: KubeConnection, path: string): Promise<JsonObject[]> {
  for (let left = TRIES; ; left--) {
    try {
      return await pages(connection, path);
    } catch (error) {
      const isExpired = error instanceof KubeError && error.code === 410;
      if (!isExpired || left === 1) throw error;
    }
  }
}

async function pages(connection: KubeConnection, path: string): Promise<JsonObject[]> {
  const items: JsonObject[] = [];
  let next: string | undefined;
  do {
    const query = { limit: PAGE, ...(next === undefined ? {} : { continue: next }) };
    const page = await connection.send({ method: "GET", path, query });
    for (const item of objectsIn(page.items)) items.push(item);
    next = asString(at(page, "metadata", "continue")) || undefined;
  } while (next !== undefined);
  return items;
}

/** Items of a list do not say their kind. Who set which field is of no use here, and large. */
function reduced(kind: AuditKind, object: JsonObject): JsonObject {
  const { managedFields: _managedFields, ...metadata } = asObject(object.metadata) ?? {};
  const whole = { ...object, apiVersion: versionOf(AUDITED[kind].prefix), kind, metadata };
  return kind === "ConfigMap" ? withoutData(whole) : kind === "Pod" ? slimPod(whole) : whole;
}

/** What matters of a ConfigMap is in its annotations; its data may be anything, and large. */
function withoutData({ data: _data, binaryData: _binaryData, ...rest }: JsonObject): JsonObject {
  return rest;
}

const versionOf = (prefix: string): string => prefix.replace(/^\/apis?\//, "");
