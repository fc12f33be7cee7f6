import type { JsonObject } from "../../../src/json/value.ts";
import { POSTGRES_CONTAINER, RESTRICTED_CONTAINER, RESTRICTED_POD } from "./patroni.ts";

export interface GatedPod {
  readonly namespace: string;
  readonly name: string;
  readonly image: string;
}

/** A pod of Patroni's that no node ever gets: what admission made of it is all there is to see. Admissible under `restricted`. */
export function gatedPod({ namespace, name, image }: GatedPod): JsonObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels: { application: "patroni", "cluster-name": "books" } },
    spec: {
      schedulingGates: [{ name: "e2e/never" }],
      securityContext: { ...RESTRICTED_POD, runAsUser: 999 },
      containers: [
        {
          name: POSTGRES_CONTAINER,
          image,
          securityContext: RESTRICTED_CONTAINER,
          env: [{ name: "PATRONI_SCOPE", value: "books" }],
        },
      ],
    },
  };
}
