import { clusterLabelValue } from "../../contract/cluster-names.ts";
import { FINDINGS, type Severity } from "../../contract/findings.ts";
import { FIELD_MANAGER, MANAGED_BY_LABEL } from "../../contract/names.ts";
import type { JsonObject } from "../../json/value.ts";
import type { AuditReport, ClusterReport } from "../audit.ts";
import { docsOf } from "./document.ts";

const RESULTS: Readonly<Record<Severity, "fail" | "warn">> = { error: "fail", warning: "warn", info: "warn" };
const SEVERITIES: Readonly<Record<Severity, string>> = { error: "high", warning: "medium", info: "info" };

/**
 * One PolicyReport (wgpolicyk8s.io/v1alpha2) for each cluster, in its namespace. What could not be looked at is skipped there, never
 * passed.
 *
 * @param now of the results' timestamps
 */
export const policyReportsOf = (report: AuditReport, now: Date): JsonObject[] =>
  report.clusters.map((cluster) => policyReport(cluster, Math.floor(now.getTime() / 1000)));

function policyReport({ namespace, scope, findings, unseen }: ClusterReport, seconds: number): JsonObject {
  const common = { source: FIELD_MANAGER, timestamp: { seconds, nanos: 0 } };
  const found = findings.map(({ code, object, field, evidence }) => {
    const { family, severity, remedy } = FINDINGS[code];
    return {
      ...common,
      policy: code,
      category: family,
      severity: SEVERITIES[severity],
      result: RESULTS[severity],
      message: evidence,
      resources: [{ ...object }],
      properties: { remedy, docs: docsOf(code), ...(field === undefined ? {} : { field }) },
    };
  });
  const skipped = unseen.flatMap(({ codes, why }) =>
    codes.map((policy) => ({
      ...common,
      policy,
      category: FINDINGS[policy].family,
      result: "skip",
      message: `could not be looked at: ${why}`,
    })),
  );
  const count = (result: string): number => found.filter((each) => each.result === result).length;
  return {
    apiVersion: "wgpolicyk8s.io/v1alpha2",
    kind: "PolicyReport",
    metadata: {
      namespace,
      name: nameOf(scope),
      labels: { [MANAGED_BY_LABEL]: FIELD_MANAGER },
    },
    summary: { pass: 0, fail: count("fail"), warn: count("warn"), error: 0, skip: skipped.length },
    results: [...found, ...skipped],
  };
}

const nameOf = (scope: string | undefined): string =>
  `patroni-injector-${scope === undefined ? "strays" : clusterLabelValue(scope).toLowerCase().replaceAll("_", "-")}`;
