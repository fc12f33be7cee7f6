import { at, type JsonObject, objectsIn } from "../../json/value.ts";
import { type Check, forCluster, type Seeing } from "../check.ts";
import type { AuditedCluster } from "../clusters.ts";
import { type Finding, refTo } from "../finding.ts";
import { need } from "../need.ts";
import { selects } from "../network/selector.ts";
import { commonLabels, labelsOf, podTemplates } from "../templates.ts";

const exposedPorts: Check = forCluster(["exposed-port"], function* (cluster, { snapshot }): Seeing {
  const guarded = [cluster.settings.postgresPort, cluster.settings.patroniPort];
  const pods = podTemplates(cluster);
  for (const service of need(snapshot.objects("Service", cluster.namespace))) {
    const type = at(service, "spec", "type");
    if (type !== "LoadBalancer" && type !== "NodePort") continue;
    const matchLabels = at(service, "spec", "selector");
    const name = at(service, "metadata", "name");
    const leadsHere =
      matchLabels === undefined
        ? name === cluster.settings.primaryService
        : pods.some(({ pod }) => selects({ matchLabels }, labelsOf(pod)));
    if (!leadsHere) continue;
    const ports = objectsIn(at(service, "spec", "ports"));
    const exposed = ports.filter(({ port, targetPort }) =>
      guarded.some(
        (each) => each === targetPort || (targetPort === undefined && each === port) || each === port,
      ),
    );
    if (exposed.length === 0) continue;
    const listed = exposed.map(({ port, nodePort }) =>
      nodePort ? `${port} (node port ${nodePort})` : `${port}`,
    );
    yield {
      code: "exposed-port",
      object: refTo(service, "Service"),
      field: "spec.type",
      evidence: `${type} with port ${listed.join(", ")}`,
    };
  }
});

const grace: Check = forCluster(["no-grace"], (cluster) =>
  podTemplates(cluster).flatMap(({ pod, object, path }): Finding[] => {
    if (at(pod, "spec", "terminationGracePeriodSeconds") !== 0) return [];
    const field = `${path}spec.terminationGracePeriodSeconds`;
    return [{ code: "no-grace", object, field, evidence: "terminationGracePeriodSeconds: 0" }];
  }),
);

const budgets: Check = forCluster(["no-disruption-budget"], (cluster, { snapshot }) => {
  const pods = podTemplates(cluster);
  if (replicasOf(cluster) < 2) return [];
  const covering = need(snapshot.objects("PodDisruptionBudget", cluster.namespace))
    .map((budget) => at(budget, "spec", "selector"))
    .filter((selector) => selector !== undefined);
  const bare = pods.filter(({ pod }) => !covering.some((selector) => selects(selector, labelsOf(pod))));
  const [first] = bare;
  if (first === undefined) return [];
  return [
    {
      code: "no-disruption-budget",
      object: first.object,
      evidence: `no budget of ${cluster.namespace} selects ${first.object.kind} ${first.object.name}`,
      fix: [budgetFor(cluster)],
    },
  ];
});

const replicasOf = ({ members, workloads }: AuditedCluster): number =>
  Math.max(
    members.length,
    workloads.reduce((sum, { statefulSet }) => sum + Number(at(statefulSet, "spec", "replicas") ?? 1), 0),
  );

function budgetFor(cluster: AuditedCluster): JsonObject {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { namespace: cluster.namespace, name: cluster.scope },
    spec: { maxUnavailable: 1, selector: { matchLabels: commonLabels(cluster) } },
  };
}

const nodes: Check = forCluster(["one-node"], (cluster, { snapshot }) => {
  if (need(snapshot.objects("Node")).length < 2) return [];
  const used = new Set(cluster.members.map(({ facts }) => facts.nodeName));
  const [first] = cluster.members;
  if (first === undefined || cluster.members.length < 2 || used.size > 1) return [];
  return [
    {
      code: "one-node",
      object: refTo(first.pod, "Pod"),
      field: "spec.nodeName",
      evidence: `${cluster.members.length} members on ${first.facts.nodeName ?? "no node yet"}`,
    },
  ];
});

export const EXPOSURE: readonly Check[] = [exposedPorts, grace, budgets, nodes];
