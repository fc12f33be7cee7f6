import { at, type JsonObject } from "../../json/value.ts";
import { API_SERVER_SERVICE } from "../../kube/api-server-addresses.ts";
import { refTo } from "../finding.ts";
import { NotSeen, need } from "../need.ts";
import { isInjector, isOperator } from "../neighbours.ts";
import { once } from "../once.ts";
import type { Snapshot } from "../snapshot.ts";
import type { Party } from "./allow.ts";
import { DNS_NAMESPACES, dnsBackends, nodeCache } from "./dns.ts";
import { type Backend, backendsOf, podEnd } from "./ends.ts";
import type { Protocol } from "./flow.ts";
import { type Policy, readPolicy } from "./policy.ts";
import type { Labels } from "./selector.ts";

/** Something that members must reach. */
export interface Target {
  readonly to: Party;
  readonly port: number;
  readonly protocol: Protocol;
}

/**
 * What the connections of all clusters run through: policies, and who else is there. Read from a snapshot once, when it is first asked
 * for; what could not be seen ends the check that asks.
 */
export interface Terrain {
  policies(): readonly Policy[];
  /** Why the policies of a namespace are not among these; undefined where they are. */
  unread(namespace: string): string | undefined;
  /** Nowhere where members, and who talks to them, may be, policies are missing among these. */
  isComplete(): boolean;
  labelsOf(namespace: string): Labels;
  party(pod: JsonObject): Party;
  operators(): readonly Party[];
  /** The injector's own pods. */
  controllers(): readonly Party[];
  apiServer(): readonly Target[];
  dns(): readonly Target[];
}

export function terrainOf(snapshot: Snapshot): Terrain {
  const namespaces = once(() => {
    const all = need(snapshot.objects("Namespace"));
    return new Map(all.map(({ metadata }) => [at(metadata, "name"), at(metadata, "labels")]));
  });
  const labelsOf = (namespace: string): Labels => ({
    "kubernetes.io/metadata.name": namespace,
    ...((namespaces().get(namespace) ?? {}) as Labels),
  });
  const party = (pod: JsonObject): Party => {
    const object = refTo(pod, "Pod");
    const { namespace, name } = object;
    return { end: podEnd(pod, namespace, labelsOf(namespace)), name: `${namespace}/${name}`, object };
  };
  const neighbours = (is: (pod: JsonObject) => boolean): Party[] =>
    need(snapshot.neighbours()).filter(is).map(party);
  /** A pod that cannot be seen counts as the address that it has. */
  const behind = ({ address, pod }: Backend): Party => {
    const found =
      pod &&
      need(snapshot.objects("Pod", pod.namespace)).find(({ metadata }) => at(metadata, "name") === pod.name);
    if (found !== undefined) return party(found);
    return { end: address, name: address.ip, object: { kind: "", namespace: "", name: address.ip } };
  };
  const targets = (backends: readonly Backend[]): Target[] =>
    backends.map((backend) => ({ to: behind(backend), port: backend.port, protocol: backend.protocol }));
  const apiServer = (): Target[] => {
    const { namespace, name } = API_SERVER_SERVICE;
    const backends = backendsOf(need(snapshot.objects("EndpointSlice", namespace)), namespace, name);
    if (backends.length === 0) throw new NotSeen(`Service ${namespace}/${name} has no address`);
    return targets(backends);
  };
  /** Where each node has a cache, pods ask it and nobody else. */
  const dns = (): Target[] => {
    const ip = nodeCache(snapshot);
    if (ip === undefined) return targets(dnsBackends(snapshot));
    const object = { kind: "", namespace: "", name: ip };
    const to: Party = { end: { kind: "address", ip, isNode: true }, name: `the node's DNS, ${ip}`, object };
    return (["UDP", "TCP"] as const).map((protocol) => ({ to, port: 53, protocol }));
  };
  const unread = (namespace: string): string | undefined => {
    const seen = snapshot.objects("NetworkPolicy", namespace);
    return "unseen" in seen ? seen.unseen : undefined;
  };
  const isComplete = (): boolean => {
    const around = snapshot.neighbours();
    if ("unseen" in around) return false;
    const namespaces = around.value.map((pod) => refTo(pod).namespace);
    return [...new Set([...DNS_NAMESPACES, ...namespaces])].every((each) => unread(each) === undefined);
  };
  return {
    policies: once(() => need(snapshot.objects("NetworkPolicy")).map((policy) => readPolicy(policy))),
    unread,
    isComplete: once(isComplete),
    labelsOf,
    party,
    operators: once(() => neighbours(isOperator)),
    controllers: once(() => neighbours(isInjector)),
    apiServer: once(apiServer),
    dns: once(dns),
  };
}
