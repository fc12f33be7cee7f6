import { readFileSync } from "node:fs";

const SERVICE_ACCOUNT_NAMESPACE = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/** The namespace that this process runs in: `POD_NAMESPACE`, else its ServiceAccount's; undefined outside a cluster. */
export function ownNamespace(environment: NodeJS.ProcessEnv): string | undefined {
  return environment.POD_NAMESPACE || namespaceIn(SERVICE_ACCOUNT_NAMESPACE);
}

function namespaceIn(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}
