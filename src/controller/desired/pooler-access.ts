import { clusterLabelValue } from "../../contract/cluster-names.ts";
import { primarySliceName } from "../../contract/slice-annotations.ts";
import type { ClusterView } from "../view.ts";
import { poolerAccessName } from "./access-names.ts";
import { type Desired, desired } from "./object.ts";

/**
 * What the sidecars of a cluster's poolers may do, one Role and one RoleBinding for each ServiceAccount: see who is the primary in
 * exactly this cluster's slice. Nothing for a pooler without a sidecar. Apart from what members may do, so that a ServiceAccount that
 * both have loses nothing with either.
 */
export function poolerAccess(view: ClusterView): Desired[] {
  const accounts = new Set(
    view.poolers
      .filter(({ container, ended }) => container !== undefined && !ended)
      .map(({ serviceAccount }) => serviceAccount),
  );
  const rules = [
    {
      apiGroups: ["discovery.k8s.io"],
      resources: ["endpointslices"],
      resourceNames: [primarySliceName(view.settings.primaryService)],
      verbs: ["get", "watch"],
    },
  ];
  return [...accounts].sort().flatMap((account) => {
    const name = poolerAccessName(clusterLabelValue(view.scope), account);
    return [
      desired("roles", view, name, { rules }),
      desired("rolebindings", view, name, {
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
        subjects: [{ kind: "ServiceAccount", name: account, namespace: view.namespace }],
      }),
    ];
  });
}
