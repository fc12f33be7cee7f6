import { at, type JsonObject } from "../../../src/json/value.ts";
import type { Context } from "./context.ts";

/** Objects that a real API server accepts, small, and where they are kept. */

type Kind = "pods" | "configmaps" | "leases" | "endpointslices" | "services";

const ROOTS: Readonly<Record<Kind, string>> = {
  pods: "/api/v1",
  configmaps: "/api/v1",
  services: "/api/v1",
  leases: "/apis/coordination.k8s.io/v1",
  endpointslices: "/apis/discovery.k8s.io/v1",
};

/** Path of the collection in the case's namespace, or of an object in it. */
export const pathOf = ({ namespace }: Context, kind: Kind, name = ""): string =>
  `${ROOTS[kind]}/namespaces/${namespace}/${kind}${name === "" ? "" : `/${name}`}`;

export const pod = (name: string, metadata: JsonObject = {}, spec: JsonObject = {}): JsonObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { ...(name === "" ? {} : { name }), ...metadata },
  spec: { containers: [{ name: "main", image: "registry.example/main" }], ...spec },
});

export const configMap = (name: string, data: JsonObject = {}, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...metadata },
  data,
});

export const lease = (name: string, holderIdentity: string, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name, ...metadata },
  spec: { holderIdentity },
});

export const endpointSlice = (name: string, address: string, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name, labels: { "kubernetes.io/service-name": name }, ...metadata },
  addressType: "IPv4",
  endpoints: [{ addresses: [address] }],
  ports: [{ name: "postgres", port: 5432, protocol: "TCP" }],
});

export const versionOf = (object: JsonObject): string => String(at(object, "metadata", "resourceVersion"));
export const uidOf = (object: JsonObject): string => String(at(object, "metadata", "uid"));

/** The object with its metadata changed. */
export const remade = (object: JsonObject, metadata: JsonObject): JsonObject => ({
  ...object,
  metadata: { ...(object.metadata as JsonObject), ...metadata },
});
