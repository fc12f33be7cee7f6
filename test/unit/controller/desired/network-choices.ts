import { parseConfig } from "../../../../src/config/parse.ts";
import type { NetworkChoice } from "../../../../src/controller/choices.ts";
import type { NetworkFacts } from "../../../../src/controller/desired/network-policy.ts";
import type { JsonObject } from "../../../../src/json/value.ts";

/** As the configuration has it. */
export function choiceOf(entry: JsonObject = {}): NetworkChoice {
  const text = JSON.stringify({ controller: { networkPolicies: [entry] } });
  const [choice] = parseConfig(text, "config.yaml", { clusterDomain: "cluster.local" }).controller
    .networkPolicies;
  if (choice === undefined) throw new Error("the entry is lost");
  return choice;
}

export const FACTS: NetworkFacts = {
  ownNamespace: "patroni-injector",
  apiServer: ["10.96.0.1", "192.0.2.10"],
  dataplaneMode: undefined,
};

/** Everything that may be chosen. */
export const ALL: JsonObject = {
  clients: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "shop" } } }],
  operatorNamespaces: ["postgres-operator"],
  monitoring: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: "prometheus" } } }],
  egress: [{ to: [{ ipBlock: { cidr: "198.51.100.0/24" } }], ports: [{ port: 2379, protocol: "TCP" }] }],
  apiServer: { ports: [443, 6443, 8443], addresses: true },
  ambient: true,
};
