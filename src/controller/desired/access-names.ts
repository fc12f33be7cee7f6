import { CLUSTER_LABEL, CLUSTER_NAMESPACE_LABEL } from "../../contract/names.ts";
import type { JsonObject } from "../../json/value.ts";
import { labelOf, nameOf } from "../facts/slim.ts";

/** Names of the Roles and RoleBindings of one ServiceAccount, by the value of the cluster's label. No two have the same. */

/** What sidecars may do. */
export const sidecarAccessName = (cluster: string, account: string): string =>
  `patroni-injector.${both(cluster, account)}`;

/** What the sidecars of poolers may do. */
export const poolerAccessName = (cluster: string, account: string): string =>
  `patroni-injector-pooler.${both(cluster, account)}`;

/** What Patroni itself may do in its namespace, by choice. */
export const patroniAccessName = (cluster: string, account: string): string =>
  `patroni.${both(cluster, account)}`;

/** What Patroni itself may see where the API server's own Service is, by choice. */
export const patroniBypassName = (namespace: string, cluster: string, account: string): string =>
  `patroni-bypass.${namespace}.${both(cluster, account)}`;

/** The object is part of what Patroni may do with this ServiceAccount, in its namespace or in another. */
export function isPatroniAccessFor(object: JsonObject, account: string): boolean {
  const cluster = labelOf(object, CLUSTER_LABEL) ?? "";
  const namespace = labelOf(object, CLUSTER_NAMESPACE_LABEL) ?? "";
  const name = nameOf(object);
  return (
    name === patroniAccessName(cluster, account) || name === patroniBypassName(namespace, cluster, account)
  );
}

/** The object is what the sidecars of poolers with this ServiceAccount may do. */
export const isPoolerAccessFor = (object: JsonObject, account: string): boolean =>
  nameOf(object) === poolerAccessName(labelOf(object, CLUSTER_LABEL) ?? "", account);

/**
 * Both may hold dots. Where the account holds none, the last dot parts them; where it does, a colon does, which neither may hold, and
 * which is good for the names of Roles.
 */
const both = (cluster: string, account: string): string =>
  account.includes(".") ? `${cluster}:${account}` : `${cluster}.${account}`;
