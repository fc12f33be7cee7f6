import { asObject, asString, at, type JsonObject, objectsIn } from "../../json/value.ts";
import type { KubeConnection } from "../../kube/connection.ts";
import { KubeError } from "../../kube/error.ts";
import { slimConfigMap } from "../hba/config-maps.ts";
import type { Seen } from "../need.ts";
import { DNS_NAMESPACES } from "../network/dns.ts";
import type { AuditKind } from "../snapshot.ts";
import { Sharing } from "./share.ts";
import { slimPod } from "./slim.ts";

interface Resource {
  readonly prefix: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Belongs to no cluster that has not installed it: where it is not known, there is none. */
  readonly optional?: boolean;
  /** In these namespaces it is read too: what members must reach stands there. */
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
  Pod: resource("/api/v1", "pods", { also: DNS_NAMESPACES }),
  StatefulSet: resource("/apis/apps/v1", "statefulsets"),
  Service: resource("/api/v1", "services", { also: ["default"] }),
  Endpoints: resource("/api/v1", "endpoints"),
  EndpointSlice: resource("/apis/discovery.k8s.io/v1", "endpointslices", {
    also: ["default", ...DNS_NAMESPACES],
  }),
  ConfigMap: resource("/api/v1", "configmaps"),
  NetworkPolicy: resource("/apis/networking.k8s.io/v1", "networkpolicies", { also: DNS_NAMESPACES }),
  PodDisruptionBudget: resource("/apis/policy/v1", "poddisruptionbudgets"),
  PeerAuthentication: resource("/apis/security.istio.io/v1", "peerauthentications", { optional: true }),
  MutatingWebhookConfiguration: resource(
    "/apis/admissionregistration.k8s.io/v1",
    "mutatingwebhookconfigurations",
    { namespaced: false },
  ),
};

/** Small enough that what is dropped of a page's objects is never much. */
const PAGE = "100";

/** A list that changed under our feet (410) is read anew, so often. */
const TRIES = 3;

/** Where a list is asked for. */
interface Place {
  readonly path: string;
  readonly query?: { readonly labelSelector: string };
}

/** What was read of a kind. */
export interface Listed {
  /** In the namespaces that are audited. */
  readonly audited: Seen<readonly JsonObject[]>;
  /** In others that checks of them need, each by itself: who may look at one namespace only can still audit it. */
  readonly beside: ReadonlyMap<string, Seen<readonly JsonObject[]>>;
}

/**
 * All objects of a kind.
 *
 * @param namespaces all of them where it is undefined
 * @param beside further namespaces to look into
 */
export async function listAll(
  connection: KubeConnection,
  kind: AuditKind,
  namespaces: readonly string[] | undefined,
  beside: readonly string[],
): Promise<Listed> {
  const { prefix, plural, namespaced, also = [] } = AUDITED[kind];
  const whole = !namespaced || namespaces === undefined;
  const inside = (namespace: string): Place => ({
    path: `${prefix}/namespaces/${encodeURIComponent(namespace)}/${plural}`,
  });
  const audited = await listPlaces(
    connection,
    kind,
    whole ? [{ path: `${prefix}/${plural}` }] : namespaces.map(inside),
  );
  const others = whole ? [] : [...new Set([...also, ...beside])].filter((name) => !namespaces.includes(name));
  const listed = new Map<string, Seen<readonly JsonObject[]>>();
  for (const name of others) listed.set(name, await listPlaces(connection, kind, [inside(name)]));
  return { audited, beside: listed };
}

/** Pods that carry labels, in all namespaces. */
export async function listPods(
  connection: KubeConnection,
  selectors: readonly string[],
): Promise<Seen<readonly JsonObject[]>> {
  const { prefix, plural } = AUDITED.Pod;
  const places = selectors.map((labelSelector) => ({
    path: `${prefix}/${plural}`,
    query: { labelSelector },
  }));
  return listPlaces(connection, "Pod", places);
}

async function listPlaces(
  connection: KubeConnection,
  kind: AuditKind,
  places: readonly Place[],
): Promise<Seen<readonly JsonObject[]>> {
  const { optional, plural } = AUDITED[kind];
  try {
    const lists: JsonObject[][] = [];
    for (const place of places) lists.push(await listPlace(connection, kind, place));
    return { value: lists.flat() };
  } catch (error) {
    if (optional && error instanceof KubeError && error.code === 404) return { value: [] };
    return { unseen: `${plural}: ${(error as Error).message}` };
  }
}

async function listPlace(connection: KubeConnection, kind: AuditKind, place: Place): Promise<JsonObject[]> {
  for (let left = TRIES; ; left--) {
    try {
      return await pages(connection, kind, place);
    } catch (error) {
      const isExpired = error instanceof KubeError && error.code === 410;
      if (!isExpired || left === 1) throw error;
    }
  }
}

/** Every object is reduced as its page comes: the whole ones of all pages would be several times as large. */
async function pages(connection: KubeConnection, kind: AuditKind, place: Place): Promise<JsonObject[]> {
  const items: JsonObject[] = [];
  const sharing = new Sharing();
  let next: string | undefined;
  do {
    const query = { ...place.query, limit: PAGE, ...(next === undefined ? {} : { continue: next }) };
    const page = await connection.send({ method: "GET", path: place.path, query });
    for (const item of objectsIn(page.items)) items.push(sharing.share(reduced(kind, item)));
    next = asString(at(page, "metadata", "continue")) || undefined;
  } while (next !== undefined);
  return items;
}

/** Items of a list do not say their kind. Who set which field is of no use here, and large. */
function reduced(kind: AuditKind, object: JsonObject): JsonObject {
  const { managedFields: _managedFields, ...metadata } = asObject(object.metadata) ?? {};
  const whole = { ...object, apiVersion: versionOf(AUDITED[kind].prefix), kind, metadata };
  return kind === "ConfigMap" ? slimConfigMap(whole) : kind === "Pod" ? slimPod(whole) : whole;
}

const versionOf = (prefix: string): string => prefix.replace(/^\/apis?\//, "");
