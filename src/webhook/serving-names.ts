import { isIP } from "node:net";
import type { Own } from "../config/injection-settings.ts";
import type { Config } from "../config/schema.ts";

/** The names that the webhook's certificate must carry, for the API server to accept it. */
export interface ServingNames {
  readonly dnsNames: string[];
  readonly ipAddresses: string[];
}

/** An API server that calls a Service asks for the name `<service>.<namespace>.svc`; one that calls a URL, for its host. */
export function servingNames(config: Config, { ownNamespace }: Own): ServingNames {
  const { url, service } = config.webhook.registration;
  if (url !== undefined) {
    const host = new URL(url).hostname.replace(/^\[(.*)\]$/, "$1");
    return isIP(host) === 0 ? { dnsNames: [host], ipAddresses: [] } : { dnsNames: [], ipAddresses: [host] };
  }
  const namespace = service.namespace ?? ownNamespace;
  const names = namespace === undefined ? [service.name] : serviceNames(service.name, namespace);
  return { dnsNames: names, ipAddresses: [] };
}

const serviceNames = (name: string, namespace: string): string[] => [
  `${name}.${namespace}.svc`,
  `${name}.${namespace}`,
  name,
];
