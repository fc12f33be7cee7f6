import { established } from "./definitions.ts";
import type { KubeObject } from "./objects.ts";
import type { Row } from "./resource.ts";

const POD_FIELDS = [
  "spec.nodeName",
  "spec.restartPolicy",
  "spec.schedulerName",
  "spec.serviceAccountName",
  "spec.hostNetwork",
  "status.phase",
  "status.podIP",
  "status.nominatedNodeName",
];
const INVOLVED = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"];
const EVENT_FIELDS = [...INVOLVED.map((field) => `involvedObject.${field}`), "reason", "type", "source"];
const NEW_EVENT_FIELDS = [...INVOLVED.map((field) => `regarding.${field}`), "reason", "type"];

const core = { group: "", version: "v1" };
const apps = { group: "apps", version: "v1" };
const rbac = { group: "rbac.authorization.k8s.io", version: "v1" };
const review = { group: "authorization.k8s.io", version: "v1", virtual: true };
const cluster = { namespaced: false };

/** Every namespace carries its own name as a label, for the selectors of webhooks and policies. */
function labelledByName(namespace: KubeObject): KubeObject {
  const { metadata } = namespace;
  const labels = { ...metadata.labels, "kubernetes.io/metadata.name": metadata.name ?? "" };
  return { ...namespace, metadata: { ...metadata, labels } };
}

/** The resources that are there from the start. */
export const BUILT_IN: readonly Row[] = [
  {
    ...core,
    plural: "pods",
    kind: "Pod",
    shortNames: ["po"],
    initialStatus: () => ({ phase: "Pending" }),
    answersDeleted: true,
    gracefulDeletion: true,
    selectableFields: POD_FIELDS,
  },
  {
    ...core,
    plural: "services",
    kind: "Service",
    shortNames: ["svc"],
    initialStatus: () => ({ loadBalancer: {} }),
    createOnUpdate: true,
    answersDeleted: true,
    selectableFields: ["spec.clusterIP", "spec.type"],
  },
  { ...core, plural: "endpoints", kind: "Endpoints", shortNames: ["ep"], createOnUpdate: true },
  { ...core, plural: "configmaps", kind: "ConfigMap", shortNames: ["cm"] },
  { ...core, plural: "secrets", kind: "Secret", selectableFields: ["type"] },
  {
    ...core,
    ...cluster,
    plural: "namespaces",
    kind: "Namespace",
    shortNames: ["ns"],
    initialStatus: () => ({ phase: "Active" }),
    complete: labelledByName,
    answersDeleted: true,
    selectableFields: ["status.phase"],
  },
  {
    ...core,
    ...cluster,
    plural: "nodes",
    kind: "Node",
    shortNames: ["no"],
    statusSubresource: true,
    selectableFields: ["spec.unschedulable"],
  },
  {
    ...core,
    plural: "events",
    kind: "Event",
    shortNames: ["ev"],
    createOnUpdate: true,
    selectableFields: EVENT_FIELDS,
  },
  { ...core, plural: "serviceaccounts", kind: "ServiceAccount", shortNames: ["sa"], answersDeleted: true },
  {
    ...apps,
    plural: "statefulsets",
    kind: "StatefulSet",
    shortNames: ["sts"],
    initialStatus: () => ({ replicas: 0 }),
  },
  { ...apps, plural: "deployments", kind: "Deployment", shortNames: ["deploy"], initialStatus: () => ({}) },
  { group: "discovery.k8s.io", version: "v1", plural: "endpointslices", kind: "EndpointSlice" },
  { group: "networking.k8s.io", version: "v1", plural: "networkpolicies", kind: "NetworkPolicy" },
  { group: "policy", version: "v1", plural: "poddisruptionbudgets", kind: "PodDisruptionBudget" },
  {
    group: "coordination.k8s.io",
    version: "v1",
    plural: "leases",
    kind: "Lease",
    createOnUpdate: true,
    unconditionalUpdate: false,
  },
  { ...rbac, plural: "roles", kind: "Role", createOnUpdate: true },
  { ...rbac, plural: "rolebindings", kind: "RoleBinding", createOnUpdate: true },
  {
    ...cluster,
    group: "admissionregistration.k8s.io",
    version: "v1",
    plural: "mutatingwebhookconfigurations",
    kind: "MutatingWebhookConfiguration",
    unconditionalUpdate: false,
  },
  {
    group: "events.k8s.io",
    version: "v1",
    plural: "events",
    kind: "Event",
    createOnUpdate: true,
    selectableFields: NEW_EVENT_FIELDS,
  },
  {
    ...cluster,
    group: "apiextensions.k8s.io",
    version: "v1",
    plural: "customresourcedefinitions",
    kind: "CustomResourceDefinition",
    shortNames: ["crd"],
    initialStatus: established,
    unconditionalUpdate: false,
  },
  { ...review, ...cluster, plural: "subjectaccessreviews", kind: "SubjectAccessReview" },
  { ...review, ...cluster, plural: "selfsubjectaccessreviews", kind: "SelfSubjectAccessReview" },
];
