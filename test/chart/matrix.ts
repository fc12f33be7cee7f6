import { issueAuthority } from "../../src/certificates/issue.ts";
import type { JsonObject } from "../../src/json/value.ts";
import type { Release } from "./helm.ts";

const authority = await issueAuthority("the chart's", { from: new Date(), days: 1 });

const METRICS: JsonObject = {
  serviceMonitor: { enabled: true, labels: { release: "prometheus" } },
  podMonitor: { enabled: true },
  prometheusRule: { enabled: true, alertLabels: { team: "db" }, runbookUrl: "https://docs.example/runbooks" },
  dashboard: { enabled: true, annotations: { folder: "Databases" } },
};

export const NETWORK: JsonObject = {
  enabled: true,
  metricsFrom: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } }],
};

/** Releases that together take every branch of the templates. */
export const MATRIX: Readonly<Record<string, Release>> = {
  defaults: {},
  "another name": { name: "second", namespace: "second-injector" },
  "a name and a namespace that YAML would read as numbers": {
    name: "1",
    namespace: "42",
    values: { fullnameOverride: "injector" },
  },
  "names overridden": { values: { fullnameOverride: "pi", nameOverride: "other" } },
  "one replica": { values: { replicaCount: 1 } },
  autoscaled: { values: { autoscaling: { enabled: true, minReplicas: 3, maxReplicas: 6 } } },
  "a priority class": { values: { priorityClass: { create: true, name: "injector-first", value: 1000000 } } },
  "an existing priority class": { values: { priorityClass: { name: "system-cluster-critical" } } },
  monitored: { values: { metrics: METRICS } },
  "some alerts left out": {
    values: { metrics: { prometheusRule: { enabled: true, disabled: ["PatroniInjectorFinding"] } } },
  },
  audited: { values: { audit: { enabled: true, schedule: "@daily" }, imagePullSecrets: ["registry"] } },
  "audited in some namespaces, with permissions of one's own": {
    values: {
      audit: { enabled: true },
      rbac: { create: false },
      config: { watchNamespaces: ["db", "shop"] },
    },
  },
  fenced: { values: { networkPolicy: NETWORK } },
  "fenced and audited": { values: { networkPolicy: NETWORK, audit: { enabled: true } } },
  "databases fenced": {
    values: { config: { controller: { networkPolicies: [{ namespaces: ["db"] }, {}] } } },
  },
  "its own image": {
    values: {
      image: {
        registry: "registry.example:5000",
        repository: "db/injector",
        digest: `sha256:${"0".repeat(64)}`,
        pullPolicy: "Always",
      },
      imagePullSecrets: ["registry"],
      config: {
        sidecar: { imagePullSecrets: ["registry"], native: true, resources: { limits: { cpu: 1 } } },
      },
    },
  },
  "another image for the sidecar": {
    values: { config: { sidecar: { image: "registry.example/sidecar:9" } } },
  },
  configured: {
    values: {
      config: {
        selectors: [
          { key: "application", values: ["patroni"] },
          { key: "example.com/kind", values: ["on", "1"] },
        ],
        presets: ["crunchy", "stackgres"],
        poolers: {
          selectors: [
            { key: "patroni-injector.io/pooler-of" },
            { key: "application", values: ["db-connection-pooler"] },
          ],
        },
        excludedNamespaces: ["legacy", "kube-system"],
        clusterDomain: "example.local",
        webhook: { failurePolicy: "Fail", timeoutSeconds: 9, port: 9443 },
        operations: { port: 9090 },
        drainSeconds: 30,
        logLevel: "debug",
      },
    },
  },
  "no poolers": { values: { config: { poolers: { selectors: [] } } } },
  "only presets": { values: { config: { selectors: [], presets: ["stackgres"] } } },
  "only injection": { values: { config: { controller: { enabled: false } }, metrics: METRICS } },
  "permissions of Patroni": { values: { config: { controller: { rbac: { patroni: true } } } } },
  "permissions of Patroni on OpenShift": {
    apiVersions: ["security.openshift.io/v1"],
    values: { config: { controller: { rbac: { patroni: true } } } },
  },
  "some namespaces": { values: { config: { watchNamespaces: ["db", "shop", "db"] } } },
  "some namespaces, and all that may be chosen": {
    apiVersions: ["security.openshift.io/v1"],
    values: {
      config: {
        watchNamespaces: ["db", "default", "injector"],
        controller: { networkPolicies: [{}], rbac: { patroni: true } },
      },
    },
  },
  "only injection, in some namespaces": {
    values: { config: { watchNamespaces: ["db"], controller: { enabled: false } } },
  },
  openshift: { apiVersions: ["security.openshift.io/v1"] },
  "openshift by configuration": { values: { config: { openshift: true } } },
  "a certificate of cert-manager": {
    values: {
      certificates: {
        source: "cert-manager",
        secretName: "webhook-tls",
        certificateName: "webhook",
        clientCA: "api",
      },
    },
  },
  "a certificate of cert-manager, all names by default": {
    values: { certificates: { source: "cert-manager" } },
  },
  "a certificate of one's own": {
    values: {
      certificates: { source: "provided", caBundle: authority.certPem },
    },
  },
  "a certificate of one's own, whose caBundle somebody else writes": {
    values: { certificates: { source: "provided" } },
  },
  "secrets of Patroni": {
    values: { rbac: { patroniSecrets: [{ namespace: "db", names: ["patroni-ca", "patroni-client"] }] } },
  },
  "certificates for reload APIs": {
    values: { rbac: { reloadCertificates: ["db", "shop", "db"] } },
  },
  "nothing of ours made": {
    values: {
      rbac: { create: false },
      serviceAccount: { create: false, name: "mine" },
      podDisruptionBudget: { enabled: false },
      topologySpreadConstraints: [],
    },
  },
  placed: {
    values: {
      nodeSelector: { pool: "system" },
      tolerations: [{ key: "dedicated", operator: "Exists" }],
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            {
              topologyKey: "kubernetes.io/hostname",
              labelSelector: { matchLabels: { "app.kubernetes.io/name": "patroni-injector" } },
            },
          ],
        },
      },
      podAnnotations: { "example.com/note": "yes" },
      podLabels: { "example.com/team": "db" },
      commonLabels: { "example.com/owner": "db" },
      service: { annotations: { "example.com/a": "b" }, labels: { "example.com/c": "d" } },
      serviceAccount: { annotations: { "example.com/role": "none" } },
    },
  },
};

/** Values that must be refused, each with a word of the reason. */
export const REFUSED: Readonly<Record<string, readonly [values: JsonObject, says: RegExp]>> = {
  "an unknown key": [{ replicas: 3 }, /replicas/],
  "an unknown key of the configuration": [{ config: { selector: [] } }, /selector/],
  "what the chart sets itself": [{ config: { webhook: { registration: { mode: "none" } } } }, /registration/],
  "a certificate of nobody": [{ certificates: { source: "vault" } }, /source/],
  "a caBundle that is no PEM": [{ certificates: { source: "provided", caBundle: "bm8=" } }, /caBundle/],
  "a file for a ConfigMap": [{ certificates: { clientCA: "/etc/ca.crt" } }, /clientCA/],
  "no replica": [{ replicaCount: 0 }, /replicaCount/],
  "a text for a number": [{ replicaCount: "2" }, /replicaCount/],
  "an unknown pull policy": [{ image: { pullPolicy: "Sometimes" } }, /pullPolicy/],
  "an unknown failure policy": [{ config: { webhook: { failurePolicy: "Open" } } }, /failurePolicy/],
  "poolers by no key": [{ config: { poolers: { selectors: [{ values: ["x"] }] } } }, /key/],
  "an unknown preset": [{ config: { presets: ["cnpg"] } }, /presets/],
  "a drain without end": [{ config: { drainSeconds: 3600 } }, /drainSeconds/],
  "a port that is none": [{ config: { webhook: { port: 70000 } } }, /port/],
  "a configuration without a part that templates need": [{ config: { webhook: null } }, /webhook/],
  "Secrets without names": [{ rbac: { patroniSecrets: [{ namespace: "db", names: [] }] } }, /names/],
  "a namespace that can be none": [{ rbac: { reloadCertificates: ["db/pg"] } }, /reloadCertificates/],
  "an unknown key of a policy": [
    { config: { controller: { networkPolicies: [{ namespace: "db" }] } } },
    /networkPolicies/,
  ],
  "an interval without a unit": [{ metrics: { podMonitor: { interval: "30" } } }, /interval/],
  "a priority that is the system's": [{ priorityClass: { value: 2000000000 } }, /value/],
};
