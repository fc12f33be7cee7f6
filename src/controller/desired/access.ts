import { clusterLabelValue } from "../../contract/cluster-names.ts";
import { primarySliceName } from "../../contract/slice-annotations.ts";
import type { JsonObject } from "../../json/value.ts";
import { allSettings, type ClusterView, type Finding } from "../view.ts";
import { sidecarAccessName } from "./access-names.ts";
import { type Desired, desired } from "./object.ts";

/**
 * What the sidecars of a cluster may do, one Role and one RoleBinding for each ServiceAccount: read, watch and replace exactly
 * this cluster's slice, and read and watch Patroni's leader object. They cannot create a slice, nor touch another's.
 */
export function access(view: ClusterView): Desired[] {
  return serviceAccountsOf(view).flatMap((account) => {
    const name = sidecarAccessName(clusterLabelValue(view.scope), account);
    return [
      desired("roles", view, name, { rules: rulesOf(view) }),
      desired("rolebindings", view, name, {
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
        subjects: [{ kind: "ServiceAccount", name: account, namespace: view.namespace }],
      }),
    ];
  });
}

export const serviceAccountsOf = (view: ClusterView): string[] =>
  [...new Set(allSettings(view).map(({ serviceAccount }) => serviceAccount))].sort();

/** With one ServiceAccount for several clusters, a member of one could write the primary of the other. */
export const accessFindings = ({ sharedServiceAccounts }: ClusterView): Finding[] =>
  sharedServiceAccounts.map((account) => ({
    reason: "shared-serviceaccount",
    detail: `ServiceAccount ${account}`,
  }));

function rulesOf(view: ClusterView): JsonObject[] {
  const { settings, openshift } = view;
  const leaders = new Set(allSettings(view).flatMap(({ leaderObject }) => leaderObject ?? []));
  return [
    {
      apiGroups: ["discovery.k8s.io"],
      resources: ["endpointslices"],
      resourceNames: [primarySliceName(settings.primaryService)],
      verbs: ["get", "watch", "update"],
    },
    ...[...leaders].sort().map((leader) => {
      const [resource = "", name = ""] = leader.split("/");
      return { apiGroups: [""], resources: [resource], resourceNames: [name], verbs: ["get", "watch"] };
    }),
    // OpenShift asks for this of whoever writes pod addresses; `create` cannot be limited to names.
    ...(openshift
      ? [{ apiGroups: ["discovery.k8s.io"], resources: ["endpointslices/restricted"], verbs: ["create"] }]
      : []),
  ];
}
