import { FINDINGS, type FindingCode, SEVERITIES, type Severity } from "../contract/findings.ts";
import type { InjectionSettings, Surroundings } from "../injection/settings.ts";
import { type AuditMode, auditModeNamespaces, auditModeOf } from "./audit-mode.ts";
import type { AuditGround, Check, Unseen } from "./check.ts";
import { ADDRESSES } from "./checks/addresses.ts";
import { EXPOSURE } from "./checks/exposure.ts";
import { INJECTION } from "./checks/injection.ts";
import { MESH } from "./checks/mesh.ts";
import { NETWORK } from "./checks/network.ts";
import { PERMISSIONS } from "./checks/permissions.ts";
import { PRIMARY } from "./checks/primary.ts";
import { REPLICATION } from "./checks/replication.ts";
import { WEBHOOK } from "./checks/webhook.ts";
import { type AuditedCluster, clustersIn } from "./clusters.ts";
import { contextOf, groundOf } from "./context.ts";
import type { Finding } from "./finding.ts";
import { need } from "./need.ts";
import type { Labels } from "./network/selector.ts";
import type { Snapshot } from "./snapshot.ts";
import { strays } from "./strays.ts";
import { labelsOf, podTemplates } from "./templates.ts";

/** Every check, in the order in which findings of the same severity are told. */
export const CHECKS: readonly Check[] = [
  ...WEBHOOK,
  ...INJECTION,
  ...PRIMARY,
  ...ADDRESSES,
  ...REPLICATION,
  ...NETWORK,
  ...PERMISSIONS,
  ...MESH,
  ...EXPOSURE,
];

/** What was found of one Patroni cluster. */
export interface ClusterReport {
  readonly namespace: string;
  /** Undefined for what carries the label and belongs to no cluster that could be named. */
  readonly scope: string | undefined;
  readonly members: readonly string[];
  /** Worst first. */
  readonly findings: readonly Finding[];
  readonly unseen: readonly Unseen[];
}

export interface AuditReport {
  /** Worst first. */
  readonly clusters: readonly ClusterReport[];
  /** Undefined where no namespace is in audit mode, and in manifests. */
  readonly auditMode: AuditMode | undefined;
}

export interface AuditOptions {
  readonly snapshot: Snapshot;
  readonly settings: InjectionSettings;
  readonly surroundings: Surroundings;
  /** All of them where it is undefined. */
  readonly namespaces: readonly string[] | undefined;
  /** Of a cluster one pod with such labels is enough. */
  isWanted(labels: Labels): boolean;
}

/**
 * Looks at everything in a snapshot. Pure.
 *
 * @throws where not even namespaces, pods and StatefulSets could be seen
 */
export function audit({ snapshot, settings, surroundings, namespaces, isWanted }: AuditOptions): AuditReport {
  const objects = {
    namespaces: need(snapshot.objects("Namespace")),
    pods: need(snapshot.objects("Pod")),
    statefulSets: need(snapshot.objects("StatefulSet")),
  };
  const clusters = clustersIn(objects, settings);
  const ground = groundOf({ snapshot, settings, surroundings, clusters });
  const reports = [
    ...clusters
      .filter((cluster) => podTemplates(cluster).some(({ pod }) => isWanted(labelsOf(pod))))
      .map((cluster) => reportOn(cluster, ground)),
    ...reportsOnStrays(strays(objects, settings, surroundings)),
  ];
  const replicas = snapshot.replicas();
  return {
    clusters: reports.sort((one, other) => worst(one) - worst(other)),
    auditMode:
      replicas.length === 0 ? undefined : auditModeOf(replicas, auditModeNamespaces(snapshot, namespaces)),
  };
}

function reportOn(cluster: AuditedCluster, ground: AuditGround): ClusterReport {
  const context = contextOf(cluster, ground);
  const outcomes = CHECKS.map((check) => check.run(cluster, context));
  return {
    namespace: cluster.namespace,
    scope: cluster.scope,
    members: cluster.members.map(({ facts }) => facts.name),
    findings: worstFirst(outcomes.flatMap(({ findings }) => findings)),
    unseen: merged(outcomes.flatMap(({ unseen }) => unseen)),
  };
}

function reportsOnStrays(findings: readonly Finding[]): ClusterReport[] {
  const namespaces = [...new Set(findings.map(({ object }) => object.namespace))].sort();
  return namespaces.map((namespace) => ({
    namespace,
    scope: undefined,
    members: [],
    findings: worstFirst(findings.filter(({ object }) => object.namespace === namespace)),
    unseen: [],
  }));
}

export const severityOf = (code: FindingCode): Severity => FINDINGS[code].severity;

const rank = (code: FindingCode): number => SEVERITIES.indexOf(severityOf(code));

/** Of the same severity in the order of the checks. */
const worstFirst = (findings: readonly Finding[]): Finding[] =>
  findings.toSorted((one, other) => rank(one.code) - rank(other.code));

const worst = ({ findings: [first] }: ClusterReport): number =>
  first === undefined ? SEVERITIES.length : rank(first.code);

/** What the same thing hides from several checks is told once. */
function merged(unseen: readonly Unseen[]): Unseen[] {
  const codes = new Map<string, FindingCode[]>();
  for (const { why, codes: more } of unseen) codes.set(why, [...(codes.get(why) ?? []), ...more]);
  return [...codes].map(([why, all]) => ({ why, codes: [...new Set(all)] }));
}
