import { SLICE_SERVICE_LABEL } from "../../contract/slice-annotations.ts";
import { asString, at, type JsonObject, objectsIn } from "../../json/value.ts";
import { need } from "../need.ts";
import type { Snapshot } from "../snapshot.ts";
import type { Target } from "./target.ts";

/** One process that may answer there. */
export interface Place {
  /** What people call it. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Undefined where it is no pod of this cluster. */
  readonly pod: { readonly namespace: string; readonly name: string } | undefined;
}

/**
 * Who answers at a target: of a Service everyone who is ready.
 *
 * @throws NotSeen where that could not be looked at
 */
export function placesOf(target: Target, snapshot: Snapshot): Place[] {
  if (target.kind === "url") {
    const { host, port } = target;
    return [{ name: `${host}, port ${port}`, host, port, pod: undefined }];
  }
  const { namespace, name } = target;
  const service = need(snapshot.objects("Service", namespace)).find(
    ({ metadata }) => at(metadata, "name") === name,
  );
  const called = objectsIn(at(service, "spec", "ports")).find(({ port }) => port === target.port);
  if (called === undefined) return [];
  return slicesOf(snapshot, namespace, name).flatMap((slice) => {
    // Ports of a Service and of its slices go together by name; a single one may have none.
    const port = objectsIn(slice.ports).find((each) => (each.name ?? "") === (called.name ?? ""))?.port;
    return typeof port === "number" ? readyIn(slice).flatMap((endpoint) => placesAt(endpoint, port)) : [];
  });
}

/** The ready endpoints of a Service. @throws NotSeen */
export const readyEndpoints = (snapshot: Snapshot, namespace: string, name: string): JsonObject[] =>
  slicesOf(snapshot, namespace, name).flatMap(readyIn);

const slicesOf = (snapshot: Snapshot, namespace: string, name: string): JsonObject[] =>
  need(snapshot.objects("EndpointSlice", namespace)).filter(
    ({ metadata }) => at(metadata, "labels", SLICE_SERVICE_LABEL) === name,
  );

/** What says nothing of it is ready (discovery/v1). */
const readyIn = (slice: JsonObject): JsonObject[] =>
  objectsIn(slice.endpoints).filter((endpoint) => at(endpoint, "conditions", "ready") !== false);

function placesAt(endpoint: JsonObject, port: number): Place[] {
  const [host] = Array.isArray(endpoint.addresses) ? endpoint.addresses : [];
  if (typeof host !== "string") return [];
  const [kind, namespace = "", name = ""] = ["kind", "namespace", "name"].map((key) =>
    asString(at(endpoint, "targetRef", key)),
  );
  const pod = kind === "Pod" ? { namespace, name } : undefined;
  return [{ name: pod === undefined ? host : `${namespace}/${name}`, host, port, pod }];
}
