import { PATRONI_PORT, POSTGRES_PORT } from "../contract/ports.ts";
import { port } from "../contract/syntax.ts";
import { asString, at, type JsonObject } from "../json/value.ts";
import { knownEnvValue } from "./env.ts";

/**
 * Labels that carry a cluster's scope where the environment does not say it: Patroni's example and Zalando's operator,
 * Crunchy's, StackGres's, and Spilo's own default, in this order.
 */
export const SCOPE_LABELS = [
  "cluster-name",
  "postgres-operator.crunchydata.com/patroni",
  "stackgres.io/cluster-scope",
  "stackgres.io/cluster-name",
  "version",
] as const;

const SCOPE_VARIABLES = ["PATRONI_SCOPE", "SCOPE"] as const;
export const SCOPE_LABEL_VARIABLES = ["PATRONI_KUBERNETES_SCOPE_LABEL", "KUBERNETES_SCOPE_LABEL"] as const;

/** The cluster's scope as the pod tells it, or undefined. */
export function scopeOf(pod: JsonObject, container: JsonObject): string | undefined {
  for (const name of SCOPE_VARIABLES) {
    const value = knownEnvValue(pod, container, name);
    if (value) return value;
  }
  const named = SCOPE_LABEL_VARIABLES.map((name) => knownEnvValue(pod, container, name)).filter(
    (name) => !!name,
  );
  for (const label of [...(named as string[]), ...SCOPE_LABELS]) {
    const value = asString(at(pod, "metadata", "labels", label));
    if (value) return value;
  }
  return undefined;
}

/** The port at the end of `PATRONI_POSTGRESQL_LISTEN`, or Spilo's `PGPORT`; 5432 where neither says it. */
export function postgresPortOf(pod: JsonObject, container: JsonObject): number {
  return (
    listenPort(knownEnvValue(pod, container, "PATRONI_POSTGRESQL_LISTEN")) ??
    port.read(knownEnvValue(pod, container, "PGPORT") ?? "") ??
    POSTGRES_PORT
  );
}

/** The port at the end of `PATRONI_RESTAPI_LISTEN`, or Spilo's `APIPORT`; 8008 where neither says it. */
export function patroniPortOf(pod: JsonObject, container: JsonObject): number {
  return (
    listenPort(knownEnvValue(pod, container, "PATRONI_RESTAPI_LISTEN")) ??
    port.read(knownEnvValue(pod, container, "APIPORT") ?? "") ??
    PATRONI_PORT
  );
}

/** `host:port`, `[v6]:port` or several hosts `a,b:port`: the port is what follows the last colon. */
function listenPort(listen: string | undefined): number | undefined {
  return listen === undefined ? undefined : port.read(listen.slice(listen.lastIndexOf(":") + 1));
}
