import { at, type JsonObject } from "../../json/value.ts";
import { type AuditContext, type Check, forCluster, need, type Seeing } from "../check.ts";
import type { AuditedCluster } from "../clusters.ts";
import { refTo } from "../finding.ts";
import { allowing, type Cut, type Need, type NetworkCode, type Party } from "../network/allow.ts";
import { type Backend, backendsOf, podEnd } from "../network/ends.ts";
import { evaluate, type Verdict } from "../network/evaluate.ts";
import { type Policy, readPolicy } from "../network/policy.ts";
import type { Labels } from "../network/selector.ts";
import { podTemplates } from "../templates.ts";

/** Pods of operators, by a label that each of them carries. */
const OPERATORS: readonly (readonly [label: string, value: string])[] = [
  ["name", "postgres-operator"], // Zalando's manifests
  ["app.kubernetes.io/name", "postgres-operator"], // Zalando's chart
  ["postgres-operator.crunchydata.com/control-plane", "postgres-operator"],
  ["app", "StackGresOperator"],
  ["app", "stackgres-operator"],
];

/** As the chart labels the pods of `serve`. */
const INJECTOR = ["app.kubernetes.io/name", "patroni-injector"] as const;

const DNS = ["kube-system", "kube-dns"] as const;
const API_SERVER = ["default", "kubernetes"] as const;

/** What the policies are held against, for one cluster. */
class Ground {
  readonly #context: AuditContext;
  readonly policies: readonly Policy[];
  readonly members: readonly Party[];

  constructor(cluster: AuditedCluster, context: AuditContext) {
    this.#context = context;
    this.policies = need(context.snapshot.objects("NetworkPolicy")).map((policy) => readPolicy(policy));
    this.members =
      cluster.members.length > 0
        ? cluster.members.map(({ pod }) => this.#party(pod))
        : podTemplates(cluster).map(({ pod, object }) => ({
            end: podEnd(pod, cluster.namespace, this.#labelsOf(cluster.namespace)),
            name: `${object.namespace}/${object.name}`,
            object,
          }));
  }

  /** Pods with one of these labels, anywhere. */
  podsWith(labels: readonly (readonly [string, string])[]): Party[] {
    return need(this.#context.snapshot.objects("Pod"))
      .filter((pod) => labels.some(([key, value]) => at(pod, "metadata", "labels", key) === value))
      .map((pod) => this.#party(pod));
  }

  /** What a Service of the cluster's own leads to. */
  backends([namespace, service]: readonly [string, string]): (Need["to"] &
    Pick<Need, "port" | "protocol">)[] {
    const slices = need(this.#context.snapshot.objects("EndpointSlice"));
    return backendsOf(slices, namespace, service).map((backend) => ({
      ...this.#behind(backend),
      port: backend.port,
      protocol: backend.protocol,
    }));
  }

  /** A pod that cannot be seen counts as the address that it has. */
  #behind({ address, pod }: Backend): Party {
    const found = need(this.#context.snapshot.objects("Pod")).find(
      ({ metadata }) => at(metadata, "namespace") === pod?.namespace && at(metadata, "name") === pod?.name,
    );
    if (found !== undefined) return this.#party(found);
    return { end: address, name: address.ip, object: { kind: "", namespace: "", name: address.ip } };
  }

  #party(pod: JsonObject): Party {
    const object = refTo(pod, "Pod");
    return {
      end: podEnd(pod, object.namespace, this.#labelsOf(object.namespace)),
      name: `${object.namespace}/${object.name}`,
      object,
    };
  }

  #labelsOf(name: string): Labels {
    const namespace = need(this.#context.snapshot.objects("Namespace")).find(
      (each) => at(each, "metadata", "name") === name,
    );
    const labels = (at(namespace, "metadata", "labels") ?? {}) as Labels;
    return { "kubernetes.io/metadata.name": name, ...labels };
  }
}

type Needs = (ground: Ground, cluster: AuditedCluster) => Need[];

/** Every connection that a cluster lives on. */
const NEEDS: Readonly<Record<NetworkCode, Needs>> = {
  "blocked-api-server": (ground) => fromMembers(ground, API_SERVER),
  "blocked-dns": (ground) => fromMembers(ground, DNS),
  "blocked-postgres": (ground, { settings }) => betweenMembers(ground, settings.postgresPort),
  "blocked-patroni": (ground, { settings }) => betweenMembers(ground, settings.patroniPort),
  "blocked-operator": (ground, { settings }) =>
    ground.podsWith(OPERATORS).flatMap((operator) => toMembers(ground, operator, settings.patroniPort)),
  "blocked-controller": (ground, { settings }) =>
    ground.podsWith([INJECTOR]).flatMap((controller) => toMembers(ground, controller, settings.patroniPort)),
};

const fromMembers = (ground: Ground, service: readonly [string, string]): Need[] =>
  ground.members.flatMap((from) =>
    ground.backends(service).map(({ port, protocol, ...to }) => ({ from, to, port, protocol })),
  );

const toMembers = ({ members }: Ground, from: Party, port: number): Need[] =>
  members.map((to) => ({ from, to, port, protocol: "TCP" }));

/** Between any two, and between any two to come where there is one template only. */
function betweenMembers({ members }: Ground, port: number): Need[] {
  const all =
    members.length === 1
      ? [...members, ...members.map((party) => ({ ...party, end: { ...party.end } }))]
      : members;
  return all.flatMap((from) =>
    all.filter((to) => to !== from).map((to) => ({ from, to, port, protocol: "TCP" as const })),
  );
}

/** One finding for each policy that is to blame, whatever the number of connections that it cuts. */
function* findings(
  code: NetworkCode,
  needs: readonly Need[],
  ground: Ground,
  cluster: AuditedCluster,
): Seeing {
  const cut: Cut[] = [];
  for (const { from, to, port, protocol } of needs) {
    const verdict = evaluate(ground.policies, { from: from.end, to: to.end, port, protocol });
    if (verdict.allowed === "yes") continue;
    const way = `${from.name} → ${to.name}:${port} ${protocol}`;
    if (verdict.allowed === "depends")
      yield { unseen: `whether ${way} is allowed depends on the network plugin` };
    else cut.push({ from, to, port, protocol, verdict, way });
  }
  const fix = cut.length === 0 ? undefined : allowing(code, cut, cluster);
  const told = new Set<string>();
  for (const { from, to, verdict, way } of cut) {
    const { policy, words } = blame(verdict, from, to);
    const key = `${policy?.namespace}/${policy?.name}`;
    if (told.has(key)) continue;
    told.add(key);
    yield {
      code,
      object: { kind: "NetworkPolicy", namespace: policy?.namespace ?? "", name: policy?.name ?? "" },
      field: "spec",
      evidence: `${way}: ${words}`,
      ...(fix === undefined ? {} : { fix: [fix] }),
    };
  }
}

function blame(
  { egress, ingress }: Verdict,
  from: Party,
  to: Party,
): { policy: Policy | undefined; words: string } {
  const [side, direction, party] =
    egress.allowed === "no" ? ([egress, "egress", from] as const) : ([ingress, "ingress", to] as const);
  const names = side.isolatedBy.map(({ namespace, name }) => `${namespace}/${name}`);
  return {
    policy: side.isolatedBy[0],
    words: `${names.join(", ")} ${names.length === 1 ? "isolates" : "isolate"} ${party.name} for ${direction}, and no rule allows it`,
  };
}

export const NETWORK: readonly Check[] = (Object.keys(NEEDS) as (keyof typeof NEEDS)[]).map((code) =>
  forCluster([code], (cluster, context) => {
    const ground = new Ground(cluster, context);
    return findings(code, NEEDS[code](ground, cluster), ground, cluster);
  }),
);
