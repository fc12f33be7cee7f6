import { type Check, forCluster, type Seeing } from "../check.ts";
import type { AuditedCluster } from "../clusters.ts";
import { allowing, type Cut, type Need, type NetworkCode, type Party } from "../network/allow.ts";
import { podEnd } from "../network/ends.ts";
import { evaluate, type Verdict } from "../network/evaluate.ts";
import type { Policy } from "../network/policy.ts";
import type { Target, Terrain } from "../network/terrain.ts";
import { podTemplates } from "../templates.ts";

/** What one cluster's connections are held against. */
interface Ground {
  readonly terrain: Terrain;
  readonly members: readonly Party[];
}

/** Its running members or, before there are any, what its templates will make. */
function membersOf(cluster: AuditedCluster, terrain: Terrain): Party[] {
  if (cluster.members.length > 0) return cluster.members.map(({ pod }) => terrain.party(pod));
  return podTemplates(cluster).map(({ pod, object }) => ({
    end: podEnd(pod, cluster.namespace, terrain.labelsOf(cluster.namespace)),
    name: `${object.namespace}/${object.name}`,
    object,
  }));
}

type Needs = (ground: Ground, cluster: AuditedCluster) => Need[];

/** Every connection that a cluster lives on. */
const NEEDS: Readonly<Record<NetworkCode, Needs>> = {
  "blocked-api-server": (ground) => fromMembers(ground, ground.terrain.apiServer()),
  "blocked-dns": (ground) => fromMembers(ground, ground.terrain.dns()),
  "blocked-postgres": (ground, { settings }) => betweenMembers(ground, settings.postgresPort),
  "blocked-patroni": (ground, { settings }) => betweenMembers(ground, settings.patroniPort),
  "blocked-operator": (ground, { settings }) =>
    ground.terrain.operators().flatMap((operator) => toMembers(ground, operator, settings.patroniPort)),
  "blocked-controller": (ground, { settings }) =>
    ground.terrain.controllers().flatMap((each) => toMembers(ground, each, settings.patroniPort)),
};

const fromMembers = ({ members }: Ground, targets: readonly Target[]): Need[] =>
  members.flatMap((from) => targets.map(({ to, port, protocol }) => ({ from, to, port, protocol })));

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

/**
 * One finding for each policy that is to blame, whatever the number of connections that it cuts. Where there are no policies,
 * nobody needs to know who else is there. What policies that were read do not cut, others may.
 */
function* findings(code: NetworkCode, ground: Ground, cluster: AuditedCluster): Seeing {
  const policies = ground.terrain.policies();
  if (policies.length === 0 && ground.terrain.isComplete()) return;
  const cut: Cut[] = [];
  for (const { from, to, port, protocol } of NEEDS[code](ground, cluster)) {
    const verdict = evaluate(policies, { from: from.end, to: to.end, port, protocol });
    if (verdict.allowed === "yes") {
      for (const unseen of unreadBetween(from, to, ground)) yield { unseen };
      continue;
    }
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

/** Why not all policies of the two ends are known. */
const unreadBetween = (from: Party, to: Party, { terrain }: Ground): string[] =>
  [from, to].flatMap(({ end }) => (end.kind === "pod" ? (terrain.unread(end.namespace) ?? []) : []));

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
  forCluster([code], (cluster, { terrain }) => {
    const ground = { terrain, members: membersOf(cluster, terrain) };
    return findings(code, ground, cluster);
  }),
);
