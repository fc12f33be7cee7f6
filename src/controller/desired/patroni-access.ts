import { clusterLabelValue } from "../../contract/cluster-names.ts";
import { CLUSTER_NAMESPACE_LABEL } from "../../contract/names.ts";
import type { JsonObject } from "../../json/value.ts";
import { API_SERVER_ENDPOINTS } from "../../patroni/leader-object.ts";
import { allSettings, type ClusterView } from "../view.ts";
import { patroniAccessName, patroniBypassName } from "./access-names.ts";
import { type Desired, desired } from "./object.ts";

/**
 * What Patroni itself needs with Kubernetes as DCS, for each ServiceAccount with which it runs: a Role in the cluster's namespace,
 * and, for `bypass_api_service`, sight of the API server's own addresses in `default`. Nothing with another store.
 *
 * Patroni's kubernetes.py lists and watches the cluster's pods and objects by label, which no rule can limit; makes and patches
 * its four objects; and patches its own pod. Deleting (`patronictl remove`) is left to people.
 */
export function patroniAccess(view: ClusterView): Desired[] {
  const all = allSettings(view).filter(({ leaderObject }) => leaderObject !== undefined);
  const accounts = [...new Set(all.map(({ serviceAccount }) => serviceAccount))].sort();
  const leaders = [...new Set(all.flatMap(({ leaderObject }) => leaderObject ?? []))].sort();
  const cluster = clusterLabelValue(view.scope);
  return accounts.flatMap((account) => [
    ...pair(view, view, patroniAccessName(cluster, account), account, rulesOf(view, leaders)),
    ...pair(view, ELSEWHERE, patroniBypassName(view.namespace, cluster, account), account, BYPASS),
  ]);
}

/** Where the API server's own Service is. */
const ELSEWHERE = { namespace: API_SERVER_ENDPOINTS.namespace };

const BYPASS: JsonObject[] = [
  { apiGroups: [""], resources: ["endpoints"], resourceNames: [API_SERVER_ENDPOINTS.name], verbs: ["get"] },
];

/** A Role and its binding. */
function pair(
  view: ClusterView,
  { namespace }: { readonly namespace: string },
  name: string,
  account: string,
  rules: JsonObject[],
): Desired[] {
  const place = { namespace, scope: view.scope };
  const labels = { [CLUSTER_NAMESPACE_LABEL]: view.namespace };
  return [
    desired("roles", place, name, { rules }, labels),
    desired(
      "rolebindings",
      place,
      name,
      {
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
        subjects: [{ kind: "ServiceAccount", name: account, namespace: view.namespace }],
      },
      labels,
    ),
  ];
}

/** @param leaders `<resource>/<name>` of the leader objects */
function rulesOf({ scope, openshift }: ClusterView, leaders: readonly string[]): JsonObject[] {
  const rules: JsonObject[] = [{ apiGroups: [""], resources: ["pods"], verbs: ["list", "watch", "patch"] }];
  for (const leader of leaders) {
    const [resource = "", name = ""] = leader.split("/");
    const names = [name, ...["config", "failover", "sync"].map((suffix) => `${scope}-${suffix}`)];
    rules.push(
      { apiGroups: [""], resources: [resource], verbs: ["list", "watch", "create"] },
      { apiGroups: [""], resources: [resource], resourceNames: names, verbs: ["get", "patch"] },
    );
    if (resource !== "endpoints") continue;
    // Endpoints without a Service are cleared away by Kubernetes: Patroni makes one for `<scope>-config`.
    rules.push({ apiGroups: [""], resources: ["services"], verbs: ["create"] });
    // OpenShift asks for this of whoever writes pod addresses.
    if (openshift) rules.push({ apiGroups: [""], resources: ["endpoints/restricted"], verbs: ["create"] });
  }
  return rules;
}
