/** The kinds of objects that the controller reads or writes, and where they are. */
export const RESOURCES = {
  namespaces: { apiVersion: "v1", kind: "Namespace", prefix: "/api/v1" },
  pods: { apiVersion: "v1", kind: "Pod", prefix: "/api/v1" },
  services: { apiVersion: "v1", kind: "Service", prefix: "/api/v1" },
  endpoints: { apiVersion: "v1", kind: "Endpoints", prefix: "/api/v1" },
  configmaps: { apiVersion: "v1", kind: "ConfigMap", prefix: "/api/v1" },
  secrets: { apiVersion: "v1", kind: "Secret", prefix: "/api/v1" },
  statefulsets: { apiVersion: "apps/v1", kind: "StatefulSet", prefix: "/apis/apps/v1" },
  endpointslices: {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    prefix: "/apis/discovery.k8s.io/v1",
  },
  roles: {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    prefix: "/apis/rbac.authorization.k8s.io/v1",
  },
  rolebindings: {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    prefix: "/apis/rbac.authorization.k8s.io/v1",
  },
  peerauthentications: {
    apiVersion: "security.istio.io/v1",
    kind: "PeerAuthentication",
    prefix: "/apis/security.istio.io/v1",
  },
  networkpolicies: {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    prefix: "/apis/networking.k8s.io/v1",
  },
  leases: { apiVersion: "coordination.k8s.io/v1", kind: "Lease", prefix: "/apis/coordination.k8s.io/v1" },
  events: { apiVersion: "events.k8s.io/v1", kind: "Event", prefix: "/apis/events.k8s.io/v1" },
} as const;

export type ResourceName = keyof typeof RESOURCES;

/** The path of a collection, of all namespaces where none is given or the name is empty. */
export function collectionPath(resource: ResourceName, namespace?: string): string {
  const { prefix } = RESOURCES[resource];
  return namespace === undefined || namespace === ""
    ? `${prefix}/${resource}`
    : `${prefix}/namespaces/${encodeURIComponent(namespace)}/${resource}`;
}

export const objectPath = (resource: ResourceName, namespace: string, name: string): string =>
  `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;

/** `apiVersion` and `kind` of an object. */
export function typeOf(resource: ResourceName): { apiVersion: string; kind: string } {
  const { apiVersion, kind } = RESOURCES[resource];
  return { apiVersion, kind };
}
