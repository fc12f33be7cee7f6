import { at, type JsonObject, objectsIn } from "../../src/json/value.ts";

/** What must be true of every injected pod of the demo, in words, and how it is seen on the stored object. */
export interface Expectation {
  readonly says: string;
  readonly holds: (pod: JsonObject) => boolean;
}

/** What the members listen on: Patroni's and PostgreSQL's own ports, where this machine has them free. */
export interface Ports {
  readonly postgres: number;
  readonly rest: number;
}

const DOMAIN = "orders-headless.shop.svc.cluster.local";

/** Stated from the documentation, not from the code that plans the change. */
export const injected = ({ postgres, rest }: Ports): readonly Expectation[] => [
  {
    says: "the pod has a DNS name over a headless Service",
    holds: (pod) =>
      at(pod, "spec", "hostname") === at(pod, "metadata", "name") &&
      at(pod, "spec", "subdomain") === "orders-headless",
  },
  {
    says: "Patroni announces that name for PostgreSQL and for its REST API",
    holds: (pod) =>
      envValue(pod, "PATRONI_POSTGRESQL_CONNECT_ADDRESS") ===
        `$(PATRONI_INJECTOR_POD_NAME).${DOMAIN}:${postgres}` &&
      envValue(pod, "PATRONI_RESTAPI_CONNECT_ADDRESS") === `$(PATRONI_INJECTOR_POD_NAME).${DOMAIN}:${rest}`,
  },
  {
    says: "the variable with the pod's name stands before its first use",
    holds: (pod) => {
      const names = environment(pod).map(({ name }) => name);
      const own = names.indexOf("PATRONI_INJECTOR_POD_NAME");
      return own !== -1 && own < names.indexOf("PATRONI_POSTGRESQL_CONNECT_ADDRESS");
    },
  },
  {
    says: "the mesh leaves the database's ports alone",
    holds: (pod) =>
      at(pod, "metadata", "annotations", "traffic.sidecar.istio.io/excludeInboundPorts") ===
        [postgres, rest, 8011].sort((one, other) => one - other).join() &&
      at(pod, "metadata", "annotations", "traffic.sidecar.istio.io/excludeOutboundIPRanges") ===
        "10.96.0.1/32",
  },
  {
    says: "the sidecar is native, unprivileged and has a token of its own",
    holds: (pod) => {
      const sidecar = objectsIn(at(pod, "spec", "initContainers")).find(
        ({ name }) => name === "patroni-injector",
      );
      const hasToken = objectsIn(at(pod, "spec", "volumes")).some(
        ({ name }) => name === "patroni-injector-token",
      );
      return (
        sidecar?.restartPolicy === "Always" &&
        at(sidecar, "securityContext", "runAsNonRoot") === true &&
        at(sidecar, "securityContext", "readOnlyRootFilesystem") === true &&
        hasToken
      );
    },
  },
  {
    says: "what the user wrote is still there",
    holds: (pod) =>
      envValue(pod, "PATRONI_SCOPE") === "orders" &&
      at(pod, "spec", "securityContext", "fsGroup") === 999 &&
      environment(pod).length === 10,
  },
];

/** A pod in which nobody has changed anything. */
export const UNTOUCHED: Expectation = {
  says: "no trace of the injector",
  holds: (pod) => !JSON.stringify(pod).includes("patroni-injector"),
};

const environment = (pod: JsonObject): JsonObject[] =>
  objectsIn(objectsIn(at(pod, "spec", "containers"))[0]?.env);
const envValue = (pod: JsonObject, name: string) =>
  environment(pod).find((entry) => entry.name === name)?.value;
