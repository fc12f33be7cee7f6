import { isIPv6 } from "node:net";
import { clusterLabelValue } from "../../contract/cluster-names.ts";
import { CLUSTER_LABEL } from "../../contract/names.ts";
import { RELOAD_PORT } from "../../contract/ports.ts";
import type { JsonObject } from "../../json/value.ts";
import type { NetworkChoice } from "../choices.ts";
import { allSettings, type ClusterView, distinct } from "../view.ts";
import { type Desired, desired } from "./object.ts";
import { policyName } from "./peer-authentication.ts";

/** What of the surroundings a policy depends on. */
export interface NetworkFacts {
  /** Where the controller runs. */
  readonly ownNamespace: string;
  /** The API server's own addresses. */
  readonly apiServer: readonly string[];
  /** How Istio carries what pods of the namespace send: the namespace's label {@link DATAPLANE_MODE}. */
  readonly dataplaneMode: string | undefined;
}

/** Istio's label, on namespaces and on pods. */
export const DATAPLANE_MODE = "istio.io/dataplane-mode";
const AMBIENT = "ambient";
/** Istio ambient carries everything here. */
const AMBIENT_PORT = 15008;
/** Under Istio ambient a node's own probes come from here (istio.io, ambient and NetworkPolicy). */
const AMBIENT_PROBES = { ipBlock: { cidr: "169.254.7.127/32" } };
const DNS_PORT = 53;
/** Where OpenShift's DNS pods listen: a policy sees the port behind the Service. */
const OPENSHIFT_DNS_PORT = 5353;

/** The entry of the configuration that is for a namespace. */
export const networkChoice = (
  choices: readonly NetworkChoice[],
  namespace: string,
): NetworkChoice | undefined =>
  choices.find(({ namespaces }) => namespaces.length === 0 || namespaces.includes(namespace));

/**
 * What is let through to and from the injected members of a cluster; all else is not. Members are known to each other by our label
 * and by their workloads' selectors: one that was not injected (yet) is not isolated, and must be reached nonetheless.
 */
export function networkPolicy(view: ClusterView, choice: NetworkChoice, facts: NetworkFacts): Desired {
  const ambient = isAmbient(view, choice, facts);
  return desired("networkpolicies", view, policyName(view), {
    spec: {
      podSelector: ownMembers(view),
      policyTypes: ["Ingress", "Egress"],
      ingress: [...ingress(view, choice, facts), ...(ambient ? [OVERLAY, { from: [AMBIENT_PROBES] }] : [])],
      egress: [...egress(view, choice, facts), ...(ambient ? [OVERLAY] : []), ...choice.egress],
    },
  });
}

function ingress(view: ClusterView, choice: NetworkChoice, { ownNamespace }: NetworkFacts): JsonObject[] {
  const all = allSettings(view);
  const clients = [...postgresPorts(view), ...all.flatMap(({ poolerPorts }) => poolerPorts)];
  return [
    // They stream from each other, and ask each other's Patroni before they race for the lead.
    { from: members(view), ports: memberPorts(view) },
    // The controller asks members whose sidecar cannot, and how reloads went; operators have business of their own.
    {
      from: [ownNamespace, ...choice.operatorNamespaces].map(everyPodOf),
      ports: [...memberPorts(view), ...reloadPorts(view)],
    },
    { ...peers("from", choice.clients), ports: tcp(clients) },
    ...(choice.monitoring.length === 0 ? [] : [{ from: choice.monitoring, ports: tcp([view.sidecarPort]) }]),
  ];
}

const egress = (view: ClusterView, choice: NetworkChoice, facts: NetworkFacts): JsonObject[] => [
  { ports: dns(view.openshift) },
  { to: members(view), ports: memberPorts(view) },
  { ...peers("to", apiServer(choice, facts)), ports: tcp(choice.apiServer.ports) },
];

const ownMembers = ({ scope }: ClusterView): JsonObject => ({
  matchLabels: { [CLUSTER_LABEL]: clusterLabelValue(scope) },
});

function members(view: ClusterView): JsonObject[] {
  const selectors = [ownMembers(view), ...view.templates.flatMap(({ selector }) => selector ?? [])];
  const each = new Map(selectors.map((selector) => [JSON.stringify(selector), selector]));
  return [...each.values()].map((podSelector) => ({ podSelector }));
}

const postgresPorts = (view: ClusterView): number[] =>
  allSettings(view).map(({ postgresPort }) => postgresPort);

const memberPorts = (view: ClusterView): JsonObject[] =>
  tcp([...postgresPorts(view), ...allSettings(view).map(({ patroniPort }) => patroniPort)]);

const reloadPorts = (view: ClusterView): JsonObject[] =>
  allSettings(view).some(({ reloadSecret }) => reloadSecret !== undefined) ? tcp([RELOAD_PORT]) : [];

const isAmbient = (
  view: ClusterView,
  { ambient }: NetworkChoice,
  { dataplaneMode }: NetworkFacts,
): boolean =>
  ambient === "auto"
    ? dataplaneMode === AMBIENT || view.members.some(({ labels }) => labels[DATAPLANE_MODE] === AMBIENT)
    : ambient;

/** None where they are not wanted, or not known: then any address will do, for without the API server there is no primary. */
const apiServer = ({ apiServer: { addresses } }: NetworkChoice, facts: NetworkFacts): JsonObject[] =>
  [...new Set(addresses ? facts.apiServer : [])]
    .sort()
    .map((address) => ({ ipBlock: { cidr: `${address}/${isIPv6(address) ? 128 : 32}` } }));

/** A rule without peers is for everybody. */
const peers = (key: "from" | "to", list: readonly JsonObject[]): JsonObject =>
  list.length === 0 ? {} : { [key]: [...list] };

const everyPodOf = (namespace: string): JsonObject => ({
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
});

const tcp = (ports: readonly number[]): JsonObject[] =>
  distinct(ports).map((port) => ({ port, protocol: "TCP" }));

const OVERLAY: JsonObject = { ports: tcp([AMBIENT_PORT]) };

const dns = (openshift: boolean): JsonObject[] =>
  [DNS_PORT, ...(openshift ? [OPENSHIFT_DNS_PORT] : [])].flatMap((port) =>
    ["UDP", "TCP"].map((protocol) => ({ port, protocol })),
  );
