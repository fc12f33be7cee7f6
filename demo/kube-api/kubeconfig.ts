import { stringify } from "yaml";

/** A kubeconfig (YAML) for one user of one server. */
export function kubeconfig(url: string, caPem: string, username: string, token: string): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "embedded",
        cluster: { server: url, "certificate-authority-data": Buffer.from(caPem).toString("base64") },
      },
    ],
    users: [{ name: username, user: { token } }],
    contexts: [{ name: "embedded", context: { cluster: "embedded", user: username, namespace: "default" } }],
    "current-context": "embedded",
  });
}
