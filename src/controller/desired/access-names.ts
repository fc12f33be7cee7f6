import { CLUSTER_LABEL } from "../../contract/names.ts";
import type { JsonObject } from "../../json/value.ts";
import { labelOf, nameOf } from "../facts/slim.ts";

/** Names of the Roles and RoleBindings of one ServiceAccount, by the value of the cluster's label. */

/** What sidecars may do. */
export const sidecarAccessName = (cluster: string, account: string): string =>
  `patroni-injector.${cluster}.${account}`;

/** What Patroni itself may do, by choice. */
export const patroniAccessName = (cluster: string, account: string): string =>
  `patroni.${cluster}.${account}`;

/** The object is part of what Patroni may do with this ServiceAccount, in its namespace or in another. */
export const isPatroniAccessFor = (object: JsonObject, account: string): boolean => {
  const cluster = labelOf(object, CLUSTER_LABEL) ?? "";
  return nameOf(object) === patroniAccessName(cluster, account);
};
