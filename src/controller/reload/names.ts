import { RELOAD_TLS_SECRET } from "../../contract/names.ts";
import { allSettings, type ClusterView } from "../view.ts";

/**
 * What the certificate of one namespace must be for, in order: every member of the clusters that serve the reload API with it. A name
 * is for one label, since members come and go; with the cluster's domain, and without it, as callers have either.
 *
 * @param views of clusters in that namespace
 */
export function certificateNames(views: readonly ClusterView[], clusterDomain: string): string[] {
  const parents = views.flatMap((view) => [
    ...allSettings(view).flatMap(({ reloadSecret, headlessService }) =>
      reloadSecret === RELOAD_TLS_SECRET ? `${headlessService}.${view.namespace}.svc` : [],
    ),
    // A pod's subdomain may be a Service of the user's own.
    ...view.members.flatMap(({ reloadApi }) =>
      reloadApi?.secret === RELOAD_TLS_SECRET ? (subdomainIn(reloadApi.dnsName) ?? []) : [],
    ),
  ]);
  const names = parents.flatMap((parent) => [`*.${parent}`, `*.${parent}.${clusterDomain}`]);
  return [...new Set(names)].sort();
}

/** `<subdomain>.<namespace>.svc` of `<host>.<subdomain>.<namespace>.svc`; a pod without a subdomain has no name in the DNS. */
function subdomainIn(dnsName: string): string | undefined {
  const [, ...parent] = dnsName.split(".");
  return parent.length === 3 ? parent.join(".") : undefined;
}
