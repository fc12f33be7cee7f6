import { clusterLabelValue } from "../../contract/cluster-names.ts";
import { CLUSTER_LABEL } from "../../contract/names.ts";
import { asObject, at, type JsonObject } from "../../json/value.ts";
import { nameOf } from "../facts/slim.ts";
import { allSettings, type ClusterView, distinct, type Finding } from "../view.ts";
import { type Desired, desired, isOurs } from "./object.ts";

/**
 * Istio is told of the inbound ports that injection has excluded from the mesh: a meshed client would speak mTLS to them, and
 * break, unless a policy of the workload says DISABLE for exactly these.
 */
export function peerAuthentication(view: ClusterView): Desired | undefined {
  const meshed = allSettings(view).filter(({ mesh }) => mesh);
  if (view.peerAuthentications === undefined || meshed.length === 0) return undefined;
  const ports = distinct(meshed.flatMap(({ excludedPorts }) => excludedPorts));
  return desired("peerauthentications", view, policyName(view), {
    spec: {
      selector: { matchLabels: { [CLUSTER_LABEL]: clusterLabelValue(view.scope) } },
      portLevelMtls: Object.fromEntries(ports.map((port) => [String(port), { mode: "DISABLE" }])),
    },
  });
}

/** Any other policy that selects these pods: Istio takes the oldest. It is reported, never overwritten. */
export function peerAuthenticationFindings(view: ClusterView): Finding[] {
  const others = (view.peerAuthentications ?? []).filter(
    (policy) => !isOurs(policy) && selectsAny(policy, view),
  );
  return others.map((policy) => ({
    reason: "peer-authentication-conflict",
    detail: `PeerAuthentication ${nameOf(policy)}`,
  }));
}

/** The name of a policy of the whole cluster, of whatever kind. */
export const policyName = ({ scope }: Pick<ClusterView, "scope">): string =>
  `patroni-injector-${clusterLabelValue(scope).toLowerCase().replaceAll("_", "-")}`;

/** A policy without a selector is of the whole namespace, and a workload's own one goes before it. */
function selectsAny(policy: JsonObject, { members }: ClusterView): boolean {
  const labels = Object.entries(asObject(at(policy, "spec", "selector", "matchLabels")) ?? {});
  if (labels.length === 0) return false;
  return members.some((member) => labels.every(([key, value]) => member.labels[key] === value));
}
