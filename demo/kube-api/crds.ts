import type { KubeObject } from "./objects.ts";

/** Istio's PeerAuthentication, as a definition to POST: an API server without Istio does not know the kind. */
export const PEER_AUTHENTICATIONS: KubeObject = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "peerauthentications.security.istio.io" },
  spec: {
    group: "security.istio.io",
    scope: "Namespaced",
    names: {
      plural: "peerauthentications",
      singular: "peerauthentication",
      kind: "PeerAuthentication",
      listKind: "PeerAuthenticationList",
      shortNames: ["pa"],
    },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};
