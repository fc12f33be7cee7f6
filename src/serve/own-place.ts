import { readFileSync } from "node:fs";
import type { Own } from "../config/injection-settings.ts";

const SERVICE_ACCOUNT_NAMESPACE = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/**
 * The namespace that this process runs in (`POD_NAMESPACE`, else its ServiceAccount's), and the name of its ServiceAccount
 * (`POD_SERVICE_ACCOUNT`); undefined outside a cluster.
 */
export const ownPlace = (environment: NodeJS.ProcessEnv): Own => ({
  ownNamespace: environment.POD_NAMESPACE || namespaceIn(SERVICE_ACCOUNT_NAMESPACE),
  ownServiceAccount: environment.POD_SERVICE_ACCOUNT || undefined,
});

function namespaceIn(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}
