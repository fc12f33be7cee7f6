import { Resolver } from "node:dns/promises";
import { at } from "../../../src/json/value.ts";
import type { ApiClient } from "../api-client.ts";
import { API_SERVICE_IP, CLUSTER_DOMAIN, DNS_SERVICE_IP, NODE_NAME } from "./addresses.ts";

/** Whether the API server's own controllers have made its namespaces. */
export function hasSystemNamespaces(api: ApiClient): Promise<boolean> {
  return exists(api, "/api/v1/namespaces/kube-system");
}

/** Whether a pod may be created: it needs what the controller manager puts into each namespace. */
export async function takesPods(api: ApiClient): Promise<boolean> {
  const inDefault = (what: string) => exists(api, `/api/v1/namespaces/default/${what}`);
  return (await inDefault("serviceaccounts/default")) && (await inDefault("configmaps/kube-root-ca.crt"));
}

async function exists(api: ApiClient, path: string): Promise<boolean> {
  return (await api.request("GET", path)).status === 200;
}

export async function isNodeReady(api: ApiClient): Promise<boolean> {
  const { body } = await api.request("GET", `/api/v1/nodes/${NODE_NAME}`);
  const conditions = at(body, "status", "conditions");
  return (
    Array.isArray(conditions) &&
    conditions.some((condition) => at(condition, "type") === "Ready" && at(condition, "status") === "True")
  );
}

/** By way of kube-proxy to CoreDNS, which knows the Service from the API server: all three must work. */
export async function resolvesApi(): Promise<boolean> {
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([DNS_SERVICE_IP]);
  return (await resolver.resolve4(`kubernetes.default.svc.${CLUSTER_DOMAIN}`)).includes(API_SERVICE_IP);
}
