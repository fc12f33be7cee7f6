import { annotationKey } from "../../../src/contract/annotations.ts";
import { POOLER_LABEL } from "../../../src/contract/names.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { poolContainer, poolLoginSecret, poolVolumes } from "./pgbouncer.ts";

/** Of the Deployment, its pods' label `app` and their ServiceAccount, to which nothing is granted. */
export const POOLERS = "poolers";
export const POOLER_COUNT = 2;

/** PgBouncer in pods of their own, which say whose cluster they lead to and how their console is reached. */
export function poolersObjects(namespace: string, scope: string, image: string): JsonObject[] {
  const metadata = { name: POOLERS, namespace };
  const selector = { app: POOLERS };
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata,
      spec: {
        replicas: POOLER_COUNT,
        selector: { matchLabels: selector },
        template: {
          metadata: {
            labels: { ...selector, [POOLER_LABEL]: scope },
            annotations: { [annotationKey("reload-pgbouncer-secret")]: poolLoginSecret },
          },
          spec: {
            serviceAccountName: POOLERS,
            securityContext: { runAsNonRoot: true, fsGroup: 999 },
            containers: [poolContainer(image)],
            volumes: [...poolVolumes],
          },
        },
      },
    },
  ];
}
