import { styleText } from "node:util";
import { printable } from "../../cli/printable.ts";
import { FINDINGS, type FindingCode, SEVERITIES, type Severity } from "../../contract/findings.ts";
import type { AuditReport, ClusterReport } from "../audit.ts";
import { type AuditMode, wouldBe } from "../audit-mode.ts";
import type { Finding } from "../finding.ts";
import { allFindings, type Counts, countsOf, docsOf, nameOfObject, titleOf } from "./document.ts";

const COLOURS = { error: "red", warning: "yellow", info: "cyan" } as const;

/** Wide enough for the longest code. */
const CODE_WIDTH = Math.max(...Object.keys(FINDINGS).map((code) => code.length));
const SEVERITY_WIDTH = "warning".length;
const INDENT = " ".repeat(2 + SEVERITY_WIDTH + 2);

/** The report for people: grouped by cluster, worst first. Colours only where they are wanted. */
export function textOf(report: AuditReport, colours: boolean): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    colours ? styleText(style, text, { validateStream: false }) : text;
  const lines = report.clusters.flatMap((cluster) => [...clusterLines(cluster, paint), ""]);
  return [...lines, ...auditModeLines(report.auditMode, paint), summary(report), ""].join("\n");
}

/** What namespaces in audit mode would have got. */
function auditModeLines(mode: AuditMode | undefined, paint: Paint): string[] {
  if (mode === undefined) return [];
  const { groups, unread } = mode;
  return [
    paint("bold", "namespaces in audit mode, in the last hour"),
    ...groups.map(
      (group) => `  ${wouldBe(group)}  ${group.namespace}: ${group.pods.length}: ${group.pods.join(", ")}`,
    ),
    ...(groups.length === 0 ? ["  no pod was created, as far as was told"] : []),
    ...Object.entries(mode.since).map(([replica, since]) => `  ${replica} remembers since ${since}`),
    ...unread.map(({ replica, why }) => `  ${paint("dim", "unseen")}  ${replica}: ${printable(why)}`),
    "",
  ];
}

type Paint = (style: Parameters<typeof styleText>[0], text: string) => string;

function clusterLines(cluster: ClusterReport, paint: Paint): string[] {
  const { members, findings, unseen } = cluster;
  const size =
    cluster.scope === undefined ? "" : `  ${members.length} member${members.length === 1 ? "" : "s"}`;
  return [
    `${paint("bold", printable(titleOf(cluster)))}${size}  ${findings.length === 0 ? "nothing found" : inWords(countsOf(findings))}`,
    ...findings.flatMap((finding) => findingLines(finding, paint)),
    ...unseen.map(
      ({ codes, why }) =>
        `  ${paint("dim", "unseen".padEnd(SEVERITY_WIDTH))}  ${printable(why)}: ${codes.join(", ")}`,
    ),
  ];
}

function findingLines(finding: Finding, paint: Paint): string[] {
  const { severity, means, remedy } = FINDINGS[finding.code];
  const where = finding.field === undefined ? "" : `: ${finding.field}`;
  const label = paint(COLOURS[severity], severity.padEnd(SEVERITY_WIDTH));
  return [
    `  ${label}  ${finding.code.padEnd(CODE_WIDTH)}  ${printable(`${nameOfObject(finding)}${where}`)}`,
    `${INDENT}${means}`,
    `${INDENT}seen: ${printable(finding.evidence)}`,
    `${INDENT}do: ${remedy}${finding.fix === undefined ? "" : " (--fix-dir writes it)"}`,
  ];
}

const PLURALS: Readonly<Record<Severity, readonly [string, string]>> = {
  error: ["error", "errors"],
  warning: ["warning", "warnings"],
  info: ["info", "infos"],
};

function inWords(counts: Counts): string {
  return SEVERITIES.filter((severity) => counts[severity] > 0)
    .map((severity) => `${counts[severity]} ${PLURALS[severity][counts[severity] === 1 ? 0 : 1]}`)
    .join(", ");
}

function summary(report: AuditReport): string {
  const { length } = report.clusters.filter(({ scope }) => scope !== undefined);
  const unseen = report.clusters.flatMap((cluster) => cluster.unseen).length;
  const found = inWords(countsOf(allFindings(report))) || "nothing found";
  const hidden = unseen === 0 ? "" : `; ${unseen} things could not be looked at`;
  return `${length} Patroni cluster${length === 1 ? "" : "s"}: ${found}${hidden}`;
}

/** `--explain CODE`. */
export function explanationOf(code: FindingCode): string {
  const { family, severity, means, matters, remedy } = FINDINGS[code];
  return [
    `${code} (${severity}, ${family})`,
    "",
    means,
    matters,
    "",
    `What to do: ${remedy}`,
    docsOf(code),
    "",
  ].join("\n");
}
