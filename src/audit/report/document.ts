import { FINDINGS, SEVERITIES, type Severity } from "../../contract/findings.ts";
import { VERSION } from "../../contract/version.ts";
import type { JsonObject } from "../../json/value.ts";
import type { AuditReport, ClusterReport } from "../audit.ts";
import type { AuditMode } from "../audit-mode.ts";
import type { Finding } from "../finding.ts";

/** How many findings of each severity. */
export type Counts = Readonly<Record<Severity, number>>;

export function countsOf(findings: readonly Finding[]): Counts {
  const counts = Object.fromEntries(SEVERITIES.map((severity) => [severity, 0])) as Record<Severity, number>;
  for (const { code } of findings) counts[FINDINGS[code].severity]++;
  return counts;
}

export const allFindings = ({ clusters }: AuditReport): Finding[] =>
  clusters.flatMap(({ findings }) => findings);

/** What people call a cluster. */
export const titleOf = ({ namespace, scope }: ClusterReport): string =>
  scope === undefined ? `${namespace} (no cluster)` : `${namespace}/${scope}`;

/** `Service db/pg-primary`, without a namespace for what has none. */
export const nameOfObject = ({ object: { kind, namespace, name } }: Finding): string =>
  `${kind} ${namespace === "" ? "" : `${namespace}/`}${name}`;

/** The page that explains a code, under the project's docs. */
export const docsOf = (code: string): string => `docs/reference/findings.md#${code}`;

/** The report as data, as `--output json` prints it (docs/reference/audit.schema.json). */
export function documentOf(report: AuditReport): JsonObject {
  return {
    kind: "PatroniAudit",
    version: VERSION,
    summary: {
      ...countsOf(allFindings(report)),
      unseen: report.clusters.flatMap(({ unseen }) => unseen).length,
    },
    clusters: report.clusters.map((cluster) => ({
      namespace: cluster.namespace,
      ...(cluster.scope === undefined ? {} : { scope: cluster.scope }),
      members: [...cluster.members],
      findings: cluster.findings.map(findingOf),
      unseen: cluster.unseen.map(({ codes, why }) => ({ codes: [...codes], why })),
    })),
    ...(report.auditMode === undefined ? {} : { auditMode: auditModeIn(report.auditMode) }),
  };
}

const auditModeIn = ({ namespaces, groups, since, unread }: AuditMode): JsonObject => ({
  namespaces: [...namespaces],
  groups: groups.map(({ namespace, reason, pods }) => ({ namespace, reason, pods: [...pods] })),
  since: { ...since },
  unread: unread.map(({ replica, why }) => ({ replica, why })),
});

function findingOf(finding: Finding): JsonObject {
  const { code, object, field, evidence, fix } = finding;
  const { family, severity, means, matters, remedy } = FINDINGS[code];
  return {
    code,
    family,
    severity,
    object: { ...object },
    ...(field === undefined ? {} : { field }),
    evidence,
    means,
    matters,
    remedy,
    docs: docsOf(code),
    ...(fix === undefined ? {} : { fix: [...fix] }),
  };
}
