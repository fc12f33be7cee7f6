import type { JsonObject } from "../../src/json/value.ts";
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

/** A resource with what is not said left at what most resources have. */
export type Row = Pick<Resource, "group" | "version" | "plural" | "kind"> & Partial<Omit<Resource, "id">>;

export function defineResource(row: Row): Resource {
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

export const NAMESPACES = "namespaces";
export const CONFIGURATIONS = "mutatingwebhookconfigurations.admissionregistration.k8s.io";
export const DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io";
