import { asObject, asString, at, type JsonObject, objectsIn } from "../../src/json/value.ts";
import type { KubeObject } from "./objects.ts";
import { qualifiedName } from "./status.ts";

/**
 * One kind of object that the server keeps. The flags are what the strategies of a real API server
 * (kubernetes pkg/registry) say of it.
 */
export interface Resource {
  /** `pods`, `statefulsets.apps`: unique, and the name that errors, faults, audit and changes use. */
  readonly id: string;
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
  /** `/status` is a path of its own, and the main path leaves `status` alone. */
  readonly statusSubresource: boolean;
  /** What `status` is on create, whatever was sent; `sent` keeps that. */
  readonly initialStatus: "sent" | ((object: KubeObject) => JsonObject | undefined);
  /** What the server fills in on every write, before admission. */
  readonly complete: (object: KubeObject) => KubeObject;
  /** PUT to a name that is not there creates it. */
  readonly createOnUpdate: boolean;
  /** PUT without a resourceVersion overwrites; else it is refused as invalid. */
  readonly unconditionalUpdate: boolean;
  /** DELETE answers with the object; else with a Status. */
  readonly answersDeleted: boolean;
  /** DELETE of an object that runs on a node only marks it, until someone deletes with no grace. */
  readonly gracefulDeletion: boolean;
  /** Field selectors beside `metadata.name` and `metadata.namespace`. */
  readonly selectableFields: readonly string[];
  /** Came from a CustomResourceDefinition. */
  readonly custom: boolean;
  /** Nothing is kept: a POST is answered at once (access reviews). */
  readonly virtual: boolean;
}

type Row = Pick<Resource, "group" | "version" | "plural" | "kind"> & Partial<Omit<Resource, "id">>;

function resource(row: Row): Resource {
  return {
    shortNames: [],
    namespaced: true,
    statusSubresource: row.initialStatus !== undefined,
    initialStatus: "sent",
    complete: (object) => object,
    createOnUpdate: false,
    unconditionalUpdate: true,
    answersDeleted: false,
    gracefulDeletion: false,
    selectableFields: [],
    custom: false,
    virtual: false,
    ...row,
    id: qualifiedName(row),
  };
}

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

/** Served as soon as it is created. */
function established(definition: KubeObject): JsonObject {
  const condition = (type: string) => ({ type, status: "True", reason: "Embedded", message: "" });
  return {
    acceptedNames: asObject(at(definition.spec, "names")) ?? {},
    conditions: [condition("NamesAccepted"), condition("Established")],
    storedVersions: [customResource(definition)?.version ?? ""],
  };
}

export const NAMESPACES = "namespaces";
export const CONFIGURATIONS = "mutatingwebhookconfigurations.admissionregistration.k8s.io";
export const DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io";

const BUILT_IN: readonly Row[] = [
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

/** A CustomResourceDefinition as a resource: its storage version, which is the only one served here. */
export function customResource(definition: KubeObject): Resource | undefined {
  const spec = definition.spec;
  const version = objectsIn(at(spec, "versions")).find((entry) => entry.storage === true);
  const names = asObject(at(spec, "names"));
  const [group, plural, kind] = [asString(at(spec, "group")), asString(names?.plural), asString(names?.kind)];
  const name = asString(version?.name);
  if (group === undefined || plural === undefined || kind === undefined || name === undefined)
    return undefined;
  const shortNames = Array.isArray(names?.shortNames)
    ? names.shortNames.filter((entry) => typeof entry === "string")
    : [];
  return resource({
    group,
    version: name,
    plural,
    kind,
    shortNames,
    namespaced: at(spec, "scope") === "Namespaced",
    ...(at(version, "subresources", "status") === undefined ? {} : { initialStatus: () => undefined }),
    unconditionalUpdate: false,
    custom: true,
  });
}

/** The resources that are served now: the built-in ones, and what definitions added. */
export class ResourceTable {
  readonly #byId = new Map<string, Resource>();

  constructor() {
    for (const row of BUILT_IN) this.add(resource(row));
  }

  add(entry: Resource): void {
    this.#byId.set(entry.id, entry);
  }

  remove(id: string): void {
    this.#byId.delete(id);
  }

  /** @param id as in {@link Resource.id} */
  get(id: string): Resource | undefined {
    return this.#byId.get(id);
  }

  find(group: string, version: string, plural: string): Resource | undefined {
    const found = this.#byId.get(qualifiedName({ group, plural }));
    return found?.version === version ? found : undefined;
  }

  all(): Iterable<Resource> {
    return this.#byId.values();
  }
}
