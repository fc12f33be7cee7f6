import type { JsonObject } from "../../../src/json/value.ts";
import type { KeyedCertificate } from "../../cluster/authority.ts";

export interface IstioStandIn {
  /** Where the webhook runs. */
  readonly namespace: string;
  /** Whose pods it is asked about. */
  readonly meshed: string;
  readonly image: string;
  /** `client/istio-stand-in.py`. */
  readonly program: string;
  /** For {@link standInHost}. */
  readonly certificate: KeyedCertificate;
  readonly authorityPem: string;
}

const NAME = "istiod";
const PROGRAM = { name: "istio-stand-in", configMap: { name: "istio-stand-in" } };

export const standInHost = (namespace: string): string => `${NAME}.${namespace}.svc`;

/** The webhook's pod and Service, and the program for the proxies of the meshed namespace. */
export function standInObjects(standIn: IstioStandIn): JsonObject[] {
  const { namespace, meshed, image, program, certificate } = standIn;
  const labels = { app: NAME };
  const metadata = { name: NAME, namespace };
  return [
    ...[namespace, meshed].map((place) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: PROGRAM.name, namespace: place },
      data: { "istio-stand-in.py": program },
    })),
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata,
      stringData: { "tls.crt": certificate.certPem, "tls.key": certificate.keyPem },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { selector: labels, ports: [{ port: 443, targetPort: 8443 }] },
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...metadata, labels },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: "webhook",
            image,
            imagePullPolicy: "IfNotPresent",
            command: ["/opt/patroni/bin/python", "/stand-in/istio-stand-in.py", "webhook", image],
            readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
            volumeMounts: [
              { name: PROGRAM.name, mountPath: "/stand-in" },
              { name: "certificate", mountPath: "/certificate" },
            ],
          },
        ],
        volumes: [PROGRAM, { name: "certificate", secret: { secretName: NAME } }],
      },
    },
  ];
}

/** Named, ordered and answered for as Istio's own: `reinvocationPolicy: Never`, `failurePolicy: Fail`. */
export function standInConfiguration({ namespace, meshed, authorityPem }: IstioStandIn): JsonObject {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "istio-sidecar-injector" },
    webhooks: [
      {
        name: "rev.namespace.sidecar-injector.istio.io",
        clientConfig: {
          service: { namespace, name: NAME, path: "/inject" },
          caBundle: Buffer.from(authorityPem).toString("base64"),
        },
        rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] }],
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": meshed } },
        objectSelector: { matchLabels: { application: "patroni" } },
        reinvocationPolicy: "Never",
        failurePolicy: "Fail",
        sideEffects: "None",
        admissionReviewVersions: ["v1"],
      },
    ],
  };
}

/** As much of Istio's resource as a policy of a workload's ports needs. */
export const PEER_AUTHENTICATION_CRD: JsonObject = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "peerauthentications.security.istio.io" },
  spec: {
    group: "security.istio.io",
    scope: "Namespaced",
    names: {
      kind: "PeerAuthentication",
      listKind: "PeerAuthenticationList",
      plural: "peerauthentications",
      singular: "peerauthentication",
    },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: { spec: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
          },
        },
      },
    ],
  },
};
