import type { KeyedCertificate } from "./authority.ts";

/** A kubeconfig that needs no other file. JSON, which is YAML. */
export function kubeconfigFor(url: string, caPem: string, client: KeyedCertificate): string {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server: url, "certificate-authority-data": base64(caPem) } }],
    users: [
      {
        name: "admin",
        user: {
          "client-certificate-data": base64(client.certPem),
          "client-key-data": base64(client.keyPem),
        },
      },
    ],
    contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
    "current-context": "test",
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
