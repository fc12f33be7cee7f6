import { asString, at, type JsonObject, objectsIn } from "../json/value.ts";

/** PgBouncer's own default. */
const POOLER_PORT = 6432;

/** Where PgBouncers listen that run in the pod beside PostgreSQL, told by their names or their images. */
export function poolerPortsOf(pod: JsonObject): number[] {
  const poolers = objectsIn(at(pod, "spec", "containers")).filter(isPooler);
  const ports = poolers.flatMap((pooler) => {
    const named = objectsIn(pooler.ports).flatMap(({ containerPort }) =>
      typeof containerPort === "number" ? containerPort : [],
    );
    return named.length === 0 ? [POOLER_PORT] : named;
  });
  return [...new Set(ports)].sort((one, other) => one - other);
}

const isPooler = ({ name, image }: JsonObject): boolean =>
  asString(name) === "pgbouncer" || /(^|\/)pgbouncer[^/]*$/.test(asString(image) ?? "");
