import { FINDINGS } from "../../contract/findings.ts";
import type { AuditReport, ClusterReport } from "../audit.ts";
import { docsOf, nameOfObject, titleOf } from "./document.ts";

/** The report for a pull request. */
export function markdownOf(report: AuditReport): string {
  const parts = report.clusters.map(clusterPart);
  return `${["## Audit of Patroni clusters", ...(parts.length === 0 ? ["No Patroni cluster was found."] : parts)].join("\n\n")}\n`;
}

function clusterPart(cluster: ClusterReport): string {
  const { findings, unseen } = cluster;
  const rows = findings.map((finding) => {
    const { severity, remedy } = FINDINGS[finding.code];
    const code = `[${finding.code}](${docsOf(finding.code)})`;
    return `| ${[severity, code, nameOfObject(finding), finding.evidence, remedy].map(cell).join(" | ")} |`;
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
const cell = (text: string): string =>
  text.startsWith("[") && text.includes("](docs/") ? text : escaped(text);

const escaped = (text: string): string =>
  text
    .replace(/[\r\n]+/g, " ")
    .replace(/[\\`*_[\]<>|#]/g, "\\$&")
    .replace(/@/g, "@\u200b");
