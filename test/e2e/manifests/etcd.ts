import type { JsonObject } from "../../../src/json/value.ts";

/** One etcd with its data in memory: the DCS of a Patroni cluster that does not use Kubernetes for it. */
export function etcdObjects(namespace: string, image: string): JsonObject[] {
  const labels = { app: "etcd" };
  const metadata = { name: "etcd", namespace, labels };
  const args = ["--data-dir=/data", "--unsafe-no-fsync", "--listen-client-urls=http://0.0.0.0:2379"];
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { selector: labels, ports: [{ name: "client", port: 2379 }] },
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata,
      spec: {
        securityContext: { runAsUser: 999, runAsNonRoot: true, fsGroup: 999 },
        containers: [
          {
            name: "etcd",
            image,
            imagePullPolicy: "IfNotPresent",
            args: [...args, "--advertise-client-urls=http://etcd:2379"],
            volumeMounts: [{ name: "data", mountPath: "/data" }],
          },
        ],
        volumes: [{ name: "data", emptyDir: { medium: "Memory" } }],
      },
    },
  ];
}
