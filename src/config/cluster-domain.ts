const FALLBACK = "cluster.local";

/**
 * The cluster's DNS domain as the kubelet tells it to every pod: the entry `svc.<domain>` of the `search` line in
 * resolv.conf (resolv.conf(5): the last `search` line counts). `cluster.local` where there is none.
 */
export function clusterDomainIn(resolvConf: string): string {
  const searches = resolvConf
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([keyword]) => keyword === "search");
  const domains = searches.at(-1)?.slice(1) ?? [];
  const service = domains.find((domain) => domain.startsWith("svc.") && domain.length > "svc.".length);
  return service?.slice("svc.".length).replace(/\.$/, "").toLowerCase() ?? FALLBACK;
}
