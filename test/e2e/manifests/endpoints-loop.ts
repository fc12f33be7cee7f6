import type { JsonObject } from "../../../src/json/value.ts";

export interface EndpointsLoop {
  readonly namespace: string;
  readonly scope: string;
  /** Of the Service, and of the Endpoints that lead it. */
  readonly service: string;
  readonly image: string;
  /** `client/endpoints-loop.sh`. */
  readonly program: string;
}

export const LOOP = "endpoints-loop";

/** How a primary is often published without the injector: a Service of the user's own, and a pod that patches its Endpoints. */
export function endpointsLoopObjects(loop: EndpointsLoop): JsonObject[] {
  const { namespace, scope, service, image, program } = loop;
  const metadata = { name: LOOP, namespace };
  const ports = [{ name: "postgresql", port: 5432 }];
  return [
    { apiVersion: "v1", kind: "Service", metadata: { name: service, namespace }, spec: { ports } },
    { apiVersion: "v1", kind: "Endpoints", metadata: { name: service, namespace } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata,
      rules: [
        { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
        { apiGroups: [""], resources: ["endpoints"], verbs: ["patch"] },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: LOOP },
      subjects: [{ kind: "ServiceAccount", name: LOOP, namespace }],
    },
    { apiVersion: "v1", kind: "ConfigMap", metadata, data: { "loop.sh": program } },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata,
      spec: {
        serviceAccountName: LOOP,
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: "loop",
            image,
            imagePullPolicy: "IfNotPresent",
            command: ["/bin/sh", "/loop/loop.sh", namespace, scope, service],
            volumeMounts: [{ name: "loop", mountPath: "/loop" }],
          },
        ],
        volumes: [{ name: "loop", configMap: { name: LOOP } }],
      },
    },
  ];
}
