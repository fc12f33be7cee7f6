import { SLICE_SERVICE_LABEL } from "../../contract/slice-annotations.ts";
import { asString, at, type JsonObject, objectsIn } from "../../json/value.ts";
import type { AddressEnd, NamedPort, PodEnd, Protocol } from "./flow.ts";
import type { Labels } from "./selector.ts";

/** How policies see a pod, or a template of some. */
export function podEnd(pod: JsonObject, namespace: string, namespaceLabels: Labels): PodEnd {
  const ips = objectsIn(at(pod, "status", "podIPs")).flatMap(({ ip }) => asString(ip) || []);
  const containers = [
    ...objectsIn(at(pod, "spec", "containers")),
    ...objectsIn(at(pod, "spec", "initContainers")).filter(({ restartPolicy }) => restartPolicy === "Always"),
  ];
  return {
    kind: "pod",
    namespace,
    namespaceLabels,
    labels: (at(pod, "metadata", "labels") ?? {}) as Labels,
    ips,
    ports: containers.flatMap(({ ports }) => objectsIn(ports)).flatMap(namedPort),
    hostNetwork: at(pod, "spec", "hostNetwork") === true,
  };
}

function namedPort({ name, containerPort, protocol }: JsonObject): NamedPort[] {
  if (typeof name !== "string" || typeof containerPort !== "number") return [];
  return [{ name, port: containerPort, protocol: (protocol ?? "TCP") as Protocol }];
}

/** Something that a Service leads to, behind its translation: that is where policies are enforced. */
export interface Backend {
  readonly address: AddressEnd;
  readonly port: number;
  /** As the Service names it; empty where it does not. */
  readonly portName: string;
  readonly protocol: Protocol;
  /** The pod of that address, where it is one. */
  readonly pod: { readonly namespace: string; readonly name: string } | undefined;
}

/** What a Service's EndpointSlices hold. @param service everything in these slices where it is undefined */
export function backendsOf(slices: readonly JsonObject[], namespace: string, service?: string): Backend[] {
  return slices
    .filter(
      (slice) =>
        at(slice, "metadata", "namespace") === namespace &&
        (service === undefined || at(slice, "metadata", "labels", SLICE_SERVICE_LABEL) === service),
    )
    .flatMap((slice) =>
      objectsIn(slice.endpoints).flatMap((endpoint) =>
        objectsIn(slice.ports).flatMap((port) => backends(endpoint, port)),
      ),
    );
}

function backends(endpoint: JsonObject, { name: portName, port, protocol }: JsonObject): Backend[] {
  if (typeof port !== "number" || !Array.isArray(endpoint.addresses)) return [];
  const isPod = at(endpoint, "targetRef", "kind") === "Pod";
  const [namespace = "", name = ""] = ["namespace", "name"].map((key) =>
    asString(at(endpoint, "targetRef", key)),
  );
  return endpoint.addresses.flatMap((ip) =>
    typeof ip === "string"
      ? [
          {
            address: { kind: "address" as const, ip },
            port,
            portName: asString(portName) ?? "",
            protocol: (protocol ?? "TCP") as Protocol,
            pod: isPod ? { namespace, name } : undefined,
          },
        ]
      : [],
  );
}
