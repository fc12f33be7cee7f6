import { FINDINGS } from "../../contract/findings.ts";
import type { AuditReport, ClusterReport } from "../audit.ts";
import { type AuditMode, wouldBe } from "../audit-mode.ts";
import { docsOf, nameOfObject, titleOf } from "./document.ts";

/** The report for a pull request. */
export function markdownOf(report: AuditReport): string {
  const clusters = report.clusters.map(clusterPart);
  const parts = [
    "## Audit of Patroni clusters",
    ...(clusters.length === 0 ? ["No Patroni cluster was found."] : clusters),
    ...(report.auditMode === undefined ? [] : [auditModePart(report.auditMode)]),
  ];
  return `${parts.join("\n\n")}\n`;
}

function auditModePart({ groups, since, unread }: AuditMode): string {
  const rows = groups.map((group) => {
    const cells = [group.namespace, wouldBe(group), `${group.pods.length}: ${group.pods.join(", ")}`];
    return `| ${cells.map(escaped).join(" | ")} |`;
  });
  const told = Object.entries(since).map(
    ([replica, from]) => `- ${escaped(replica)} remembers since ${from}`,
  );
  const missing = unread.map(({ replica, why }) => `- ${escaped(replica)}: ${escaped(why)}`);
  return [
    "### Namespaces in audit mode, in the last hour",
    rows.length === 0
      ? "No pod was created, as far as was told."
      : ["| Namespace | What | Pods |", "|---|---|---|", ...rows].join("\n"),
    ...(told.length === 0 ? [] : [told.join("\n")]),
    ...(missing.length === 0 ? [] : [`Could not be looked at:\n${missing.join("\n")}`]),
  ].join("\n\n");
}

function clusterPart(cluster: ClusterReport): string {
  const { findings, unseen } = cluster;
  const rows = findings.map((finding) => {
    const { severity, remedy } = FINDINGS[finding.code];
    const code = `[${finding.code}](${docsOf(finding.code)})`;
    const cells = [nameOfObject(finding), finding.evidence, remedy].map(escaped);
    return `| ${[severity, code, ...cells].join(" | ")} |`;
  });
  const table = [
    "| Severity | Finding | Object | Seen | What to do |",
    "|---|---|---|---|---|",
    ...rows,
  ].join("\n");
  return [
    `### ${escaped(titleOf(cluster))}`,
    findings.length === 0 ? "Nothing found." : table,
    ...(unseen.length === 0
      ? []
      : [
          `Could not be looked at:\n${unseen.map(({ codes, why }) => `- ${escaped(why)} (${codes.join(", ")})`).join("\n")}`,
        ]),
  ].join("\n\n");
}

/** Names and evidence come from the cluster: they must not become markup, nor end a row. */
const escaped = (text: string): string =>
  text
    .replace(/[\r\n\u2028\u2029]+/g, " ")
    .replace(/[\\`*_[\]<>|#]/g, "\\$&")
    .replace(/@/g, "@\u200b");
