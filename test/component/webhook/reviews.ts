import { toInjectionSettings } from "../../../src/config/injection-settings.ts";
import { parseConfig } from "../../../src/config/parse.ts";
import type { ReviewContext } from "../../../src/injection/review.ts";
import type { Surroundings } from "../../../src/injection/settings.ts";

/** A cluster of which nothing is known but that its kubelets are new. */
export const SURROUNDINGS: Surroundings = {
  service: () => undefined,
  nativeSidecars: true,
  openshift: false,
  apiServerAddresses: ["10.96.0.1"],
  suspended: () => false,
};

/** What reviews are decided with under a configuration. */
export function contextOf(configuration = "", surroundings = SURROUNDINGS): Omit<ReviewContext, "mode"> {
  const config = parseConfig(configuration, "config.yaml", { clusterDomain: "cluster.local" });
  return {
    settings: toInjectionSettings(config, { ownNamespace: "injector" }),
    surroundings,
    failurePolicy: config.webhook.failurePolicy,
  };
}

/** The review of a plain Patroni pod's creation, as an API server sends it. */
export function reviewOf(uid: string, { annotations = {}, labels = {}, dryRun = false } = {}) {
  return {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      uid,
      kind: { group: "", version: "v1", kind: "Pod" },
      resource: { group: "", version: "v1", resource: "pods" },
      name: "pg-0",
      namespace: "db",
      operation: "CREATE",
      dryRun,
      object: {
        apiVersion: "v1",
        kind: "Pod",
        metadata: {
          name: "pg-0",
          namespace: "db",
          labels: { application: "patroni", "cluster-name": "pg", ...labels },
          annotations,
        },
        spec: {
          hostname: "pg-0",
          subdomain: "pg",
          containers: [
            {
              name: "pg",
              image: "patroni",
              env: [
                { name: "PATRONI_SCOPE", value: "pg" },
                { name: "PATRONI_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
              ],
              ports: [{ containerPort: 8008 }, { containerPort: 5432 }],
            },
          ],
        },
      },
    },
  };
}
