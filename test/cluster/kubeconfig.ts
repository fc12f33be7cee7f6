import type { Credentials } from "./api-client.ts";

/** A kubeconfig that needs no other file. JSON, which is YAML. */
export function kubeconfigFor(url: string, caPem: string, client: Credentials): string {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server: url, "certificate-authority-data": base64(caPem) } }],
    users: [{ name: "test", user: userOf(client) }],
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    "current-context": "test",
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

function userOf(client: Credentials): Record<string, string> {
  if ("token" in client) return { token: client.token };
  return {
    "client-certificate-data": base64(client.certPem),
    "client-key-data": base64(client.keyPem),
  };
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");
