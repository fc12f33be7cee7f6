import type { JsonObject } from "../../../src/json/value.ts";
import { type Difference, NAMESPACE } from "./world.ts";

/** A pod of a Deployment with PgBouncer, which leads to the cluster `pg`. */
export const poolerPod = (difference: Omit<Difference, "env"> = {}): JsonObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    generateName: "pool-7d9c5b6f4d-",
    namespace: NAMESPACE,
    labels: { app: "pool", "patroni-injector.io/pooler-of": "pg", ...difference.labels },
    ...(difference.annotations === undefined ? {} : { annotations: difference.annotations }),
    ...difference.metadata,
  },
  spec: {
    containers: [
      {
        name: "pgbouncer",
        image: "acme/pgbouncer:1.24",
        ports: [{ containerPort: 6432 }],
        ...difference.container,
      },
      ...(difference.containers ?? []),
    ],
    ...difference.spec,
  },
});
