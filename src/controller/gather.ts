import type { Suspension } from "./breaker/suspension.ts";
import type { Caches } from "./caches.ts";
import type { ClusterKey } from "./cluster-key.ts";
import type { LeaderFacts } from "./facts/leader.ts";
import type { PodFacts } from "./facts/pod.ts";
import type { PoolerFacts } from "./facts/pooler.ts";
import { INDEX } from "./indexes.ts";
import type { ClusterView } from "./view.ts";
import type { Watched } from "./watched.ts";

export interface GatherOptions {
  readonly openshift: boolean;
  readonly sidecarPort: number;
  readonly sidecarImage: string;
  readonly suspension: Suspension | undefined;
}

/** What the watches show of a cluster; undefined where nothing of it is left. */
export function gather(caches: Caches, key: ClusterKey, options: GatherOptions): ClusterView | undefined {
  const { namespace, scope } = key;
  const members = membersOf(caches, key);
  const templates = caches.templates.find(INDEX.cluster(namespace, scope));
  const settings = (members[0] ?? templates[0])?.settings;
  if (settings === undefined) return undefined;
  const { primaryService, headlessService } = settings;
  const accounts = [...new Set([...members, ...templates].map((each) => each.settings.serviceAccount))];
  return {
    namespace,
    scope,
    enabled: caches.isEnabled(namespace),
    members,
    templates,
    poolers: poolersOf(caches, key),
    settings,
    headlessService: caches.services.get(namespace, headlessService),
    primaryService: caches.services.get(namespace, primaryService),
    slices: caches.slices.find(INDEX.service(namespace, primaryService)),
    endpoints: caches.endpoints.get(namespace, primaryService),
    roles: caches.roles.find(INDEX.made(namespace, scope)),
    sharedServiceAccounts: sharedAccounts(caches, namespace, scope, accounts),
    peerAuthentications: caches.hasIstio
      ? caches.peerAuthentications.find(INDEX.namespace(namespace))
      : undefined,
    ...options,
  };
}

const membersOf = (caches: Caches, key: ClusterKey): PodFacts[] => podsOf(caches.pods, key);
const poolersOf = (caches: Caches, key: ClusterKey): PoolerFacts[] => podsOf(caches.poolers, key);

/** All pods of a cluster, each once, by name. */
function podsOf<Facts extends { readonly name: string }>(
  caches: readonly Watched<Facts>[],
  { namespace, scope }: ClusterKey,
): Facts[] {
  const found = caches.flatMap((pods) => pods.find(INDEX.cluster(namespace, scope)));
  const byName = new Map(found.map((pod) => [pod.name, pod]));
  return [...byName.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** ServiceAccounts of this cluster that another cluster's pods use too. */
function sharedAccounts(
  caches: Caches,
  namespace: string,
  scope: string,
  accounts: readonly string[],
): string[] {
  return accounts.filter((account) => {
    const index = INDEX.account(namespace, account);
    return [...caches.pods, caches.templates].some((users) =>
      users.find(index).some(({ settings }) => settings.scope !== scope),
    );
  });
}

/** The leader object of a cluster, with Kubernetes as DCS. */
export function leaderOf(
  caches: Caches,
  namespace: string,
  leaderObject: string | undefined,
): LeaderFacts | undefined {
  if (leaderObject === undefined) return undefined;
  const index = INDEX.leader(namespace, leaderObject);
  return [...caches.endpoints.find(index), ...caches.leaders.flatMap((leaders) => leaders.find(index))][0];
}
