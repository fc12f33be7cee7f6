import { SLICE_SERVICE_LABEL } from "../contract/slice-annotations.ts";
import { endpointsFacts } from "../controller/facts/endpoints.ts";
import type { ClusterView } from "../controller/view.ts";
import { at } from "../json/value.ts";
import type { AuditGround } from "./check.ts";
import type { AuditedCluster } from "./clusters.ts";
import { need } from "./need.ts";
import type { AuditKind } from "./snapshot.ts";

/** The cluster as the controller would see it: what the controller decides of it, an audit can say. */
export function viewOf(cluster: AuditedCluster, ground: AuditGround): ClusterView {
  const { namespace, scope, settings, members, workloads } = cluster;
  const { snapshot, surroundings } = ground;
  const all = (kind: AuditKind) => need(snapshot.objects(kind, namespace));
  const named = (kind: AuditKind, name: string) =>
    all(kind).find(({ metadata }) => at(metadata, "name") === name);
  const endpoints = named("Endpoints", settings.primaryService);
  const policies = snapshot.objects("PeerAuthentication", namespace);
  return {
    namespace,
    scope,
    enabled: cluster.mode === "enabled",
    members: members.map(({ facts }) => facts),
    templates: workloads.map(({ facts }) => facts),
    poolers: [],
    settings,
    headlessService: named("Service", settings.headlessService),
    primaryService: named("Service", settings.primaryService),
    slices: all("EndpointSlice").filter(
      ({ metadata }) => at(metadata, "labels", SLICE_SERVICE_LABEL) === settings.primaryService,
    ),
    endpoints: endpoints && endpointsFacts(endpoints),
    roles: [],
    sharedServiceAccounts: sharedAccounts(cluster, ground),
    peerAuthentications: "unseen" in policies ? undefined : policies.value,
    openshift: surroundings.openshift,
    sidecarPort: ground.settings.sidecar.port,
    sidecarImage: ground.settings.sidecar.image,
    suspension: undefined,
  };
}

/** ServiceAccounts of this cluster that another cluster of the namespace uses too. */
function sharedAccounts(cluster: AuditedCluster, { clusters }: AuditGround): string[] {
  const accounts = ({ members, workloads }: AuditedCluster) =>
    [...members, ...workloads].map(({ facts }) => facts.settings.serviceAccount);
  const others = clusters
    .filter(({ namespace, scope }) => namespace === cluster.namespace && scope !== cluster.scope)
    .flatMap(accounts);
  return [...new Set(accounts(cluster))].filter((account) => others.includes(account));
}
