import { at, type JsonObject } from "../../json/value.ts";
import { refTo } from "../finding.ts";
import { NotSeen, need } from "../need.ts";
import { isInjector, isOperator } from "../neighbours.ts";
import { once } from "../once.ts";
import type { Snapshot } from "../snapshot.ts";
import type { Party } from "./allow.ts";
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
  /** Every cluster has these: where there are none, they are somewhere else, and nothing can be said of the way to them. */
  const targets = (namespace: string, service: string): Target[] => {
    const backends = backendsOf(need(snapshot.objects("EndpointSlice", namespace)), namespace, service);
    if (backends.length === 0) throw new NotSeen(`Service ${namespace}/${service} has no address`);
    return backends.map((backend) => ({
      to: behind(backend),
      port: backend.port,
      protocol: backend.protocol,
    }));
  };
  return {
    policies: once(() => need(snapshot.objects("NetworkPolicy")).map((policy) => readPolicy(policy))),
    labelsOf,
    party,
    operators: once(() => neighbours(isOperator)),
    controllers: once(() => neighbours(isInjector)),
    apiServer: once(() => targets("default", "kubernetes")),
    dns: once(() => targets("kube-system", "kube-dns")),
  };
}
