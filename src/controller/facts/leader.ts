import { asString, at, type JsonObject } from "../../json/value.ts";

/** What Patroni's leader object says (Patroni's kubernetes.py). */
export interface LeaderFacts {
  readonly namespace: string;
  readonly name: string;
  /** The name of the member that holds the lock; undefined where nobody does. */
  readonly leader: string | undefined;
  /** Milliseconds; undefined where it does not say. */
  readonly ttlMs: number | undefined;
}

export function leaderFacts(object: JsonObject): LeaderFacts {
  const annotation = (key: string) => asString(at(object, "metadata", "annotations", key));
  const ttl = Number(annotation("ttl"));
  return {
    namespace: asString(at(object, "metadata", "namespace")) ?? "",
    name: asString(at(object, "metadata", "name")) ?? "",
    leader: annotation("leader") || undefined,
    ttlMs: ttl > 0 ? ttl * 1000 : undefined,
  };
}
