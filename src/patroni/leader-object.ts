import { at, type JsonObject, objectsIn } from "../json/value.ts";
import type { Flavour } from "./container.ts";
import { knownEnvValue } from "./env.ts";

/** A distributed store other than Kubernetes: then there is no leader object here. */
const EXTERNAL: Readonly<Record<Flavour, RegExp>> = {
  patroni: /^PATRONI_(ETCD3?|CONSUL|ZOOKEEPER|EXHIBITOR|RAFT)_/,
  spilo: /^(ETCD3?_(HOST|HOSTS|DISCOVERY_DOMAIN|URL|PROXY)|ZOOKEEPER_HOSTS|EXHIBITOR_HOSTS|CONSUL_HOST)$/,
};

/**
 * The object in which Patroni keeps its leader lock, as `<resource>/<name>`, with Kubernetes as DCS: Endpoints `<scope>`, or
 * ConfigMap `<scope>-leader` (Patroni's kubernetes.py). Undefined with any other DCS, and where the environment does not tell.
 */
export function leaderObjectOf(
  pod: JsonObject,
  container: JsonObject,
  flavour: Flavour,
  scope: string,
): string | undefined {
  const names = objectsIn(container.env).map(({ name }) => String(name));
  if (names.some((name) => EXTERNAL[flavour].test(name))) return undefined;
  const isOn = (name: string) => /^(true|on|yes|1)$/i.test(knownEnvValue(pod, container, name) ?? "");
  const usesEndpoints =
    flavour === "spilo"
      ? isOn("DCS_ENABLE_KUBERNETES_API") && !knownEnvValue(pod, container, "KUBERNETES_USE_CONFIGMAPS")
      : isOn("PATRONI_KUBERNETES_USE_ENDPOINTS") || isCrunchy(pod);
  const usesKubernetes =
    flavour === "spilo"
      ? isOn("DCS_ENABLE_KUBERNETES_API")
      : names.some((name) => name.startsWith("PATRONI_KUBERNETES_"));
  if (!usesKubernetes) return undefined;
  return usesEndpoints ? `endpoints/${scope}` : `configmaps/${scope}-leader`;
}

/** What Patroni reads with `bypass_api_service`, to ask the API servers past their Service (kubernetes.py). */
export const API_SERVER_ENDPOINTS = { namespace: "default", name: "kubernetes" } as const;

/** Crunchy's operator always uses Endpoints, and says so in a file. */
const isCrunchy = (pod: JsonObject): boolean =>
  at(pod, "metadata", "labels", "postgres-operator.crunchydata.com/patroni") !== undefined;
