import type { JsonObject } from "../../../src/json/value.ts";

/** A cluster's place, as its manifests name it. */
export interface Place {
  readonly namespace: string;
  readonly scope: string;
}

const RBAC = "rbac.authorization.k8s.io";
const NETWORKING = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" };

const membersOf = (scope: string) => ({ matchLabels: { application: "patroni", "cluster-name": scope } });
const inNamespace = (name: string) => ({
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } },
});
const tcp = (...ports: number[]) => ports.map((port) => ({ port, protocol: "TCP" }));
const MEMBER_PORTS = tcp(5432, 8008);

/** An operator of the kind that audits know by its label. It only stands there: policies are about it. */
export const operatorObjects = (namespace: string, image: string): JsonObject[] => [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
  {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "postgres-operator", namespace, labels: { name: "postgres-operator" } },
    spec: {
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      containers: [
        { name: "operator", image, imagePullPolicy: "IfNotPresent", command: ["sleep", "infinity"] },
      ],
    },
  },
];

/** What a careful user adds to the example of Patroni's documentation: members may find the API server's nodes, and a drain is bounded. */
export function carefulObjects({ namespace, scope }: Place): JsonObject[] {
  const name = `${namespace}-${scope}`;
  const inDefault = { namespace: "default", name };
  return [
    {
      apiVersion: `${RBAC}/v1`,
      kind: "Role",
      metadata: inDefault,
      rules: [{ apiGroups: [""], resources: ["endpoints"], resourceNames: ["kubernetes"], verbs: ["get"] }],
    },
    {
      apiVersion: `${RBAC}/v1`,
      kind: "RoleBinding",
      metadata: inDefault,
      roleRef: { apiGroup: RBAC, kind: "Role", name },
      subjects: [{ kind: "ServiceAccount", name: scope, namespace }],
    },
    {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { namespace, name: "members" },
      spec: { maxUnavailable: 1, selector: membersOf(scope) },
    },
  ];
}

/** Policies under which everything works: members to each other, DNS and the API server; the operator and the injector to members. */
export const openPolicies = (place: Place, operator: string): JsonObject[] => [
  egressPolicy(place, [{ ports: tcp(443, 6443) }]),
  ingressPolicy(place, [
    { from: [inNamespace("patroni-injector"), inNamespace(operator)], ports: MEMBER_PORTS },
  ]),
];

/** The same with two rules forgotten: egress to the API server, ingress from the operator. */
export const closedPolicies = (place: Place): JsonObject[] => [
  egressPolicy(place, []),
  ingressPolicy(place, [{ from: [inNamespace("patroni-injector")], ports: MEMBER_PORTS }]),
];

/** Ingress from the namespace itself only: the injector's controller is kept out. */
export const narrowPolicy = (place: Place): JsonObject => ingressPolicy(place, []);

function egressPolicy({ namespace, scope }: Place, more: JsonObject[]): JsonObject {
  const dns = [
    { port: 53, protocol: "UDP" },
    { port: 53, protocol: "TCP" },
  ];
  const egress = [{ ports: dns }, { to: [{ podSelector: membersOf(scope) }], ports: MEMBER_PORTS }, ...more];
  return {
    ...NETWORKING,
    metadata: { namespace, name: "members-egress" },
    spec: { podSelector: membersOf(scope), policyTypes: ["Egress"], egress },
  };
}

function ingressPolicy({ namespace, scope }: Place, more: JsonObject[]): JsonObject {
  const ingress = [{ from: [{ podSelector: {} }], ports: MEMBER_PORTS }, ...more];
  return {
    ...NETWORKING,
    metadata: { namespace, name: "members-ingress" },
    spec: { podSelector: membersOf(scope), policyTypes: ["Ingress"], ingress },
  };
}

/** Patroni's Role as somebody has trimmed it: what it needed at its first start only, they thought. */
export const trimmedRole = ({ namespace, scope }: Place): JsonObject => ({
  apiVersion: `${RBAC}/v1`,
  kind: "Role",
  metadata: { namespace, name: scope },
  rules: [
    { apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list", "patch", "update", "watch"] },
    { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "patch", "update", "watch"] },
  ],
});

/** Patroni's REST API for everybody who reaches a node. */
export const exposedService = ({ namespace, scope }: Place): JsonObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace, name: "patroni-from-outside" },
  spec: {
    type: "NodePort",
    selector: membersOf(scope).matchLabels,
    ports: [{ name: "http-patroni", port: 80, targetPort: 8008 }],
  },
});

/** A primary Service of the user's own, and what a loop left behind that led it once: the address of a pod that is long gone. */
export const staleService = (namespace: string, name: string): JsonObject[] => [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace, name },
    spec: { ports: [{ name: "postgresql", port: 5432 }] },
  },
  {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { namespace, name },
    subsets: [{ addresses: [{ ip: "10.244.255.250" }], ports: [{ name: "postgresql", port: 5432 }] }],
  },
];

/** Pods from now on are killed at once. Members are restarted by hand. */
export const hastyStatefulSet = {
  spec: {
    updateStrategy: { type: "OnDelete", rollingUpdate: null },
    template: { spec: { terminationGracePeriodSeconds: 0 } },
  },
} as const;
