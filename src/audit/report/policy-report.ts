import { clusterNamePart } from "../../contract/cluster-names.ts";
import { FINDINGS, type Severity } from "../../contract/findings.ts";
import { FIELD_MANAGER, MANAGED_BY_LABEL } from "../../contract/names.ts";
import type { JsonObject } from "../../json/value.ts";
import type { AuditReport, ClusterReport } from "../audit.ts";
import { type AuditMode, isChange, wouldBe } from "../audit-mode.ts";
import { docsOf } from "./document.ts";

const RESULTS: Readonly<Record<Severity, "fail" | "warn">> = { error: "fail", warning: "warn", info: "warn" };
const SEVERITIES: Readonly<Record<Severity, string>> = { error: "high", warning: "medium", info: "info" };

/** The policy of what pods in namespaces in audit mode would have got, and its category. */
const AUDIT_MODE = "audit-mode";

type Result = JsonObject & { readonly result: "fail" | "warn" | "skip" };

/**
 * PolicyReports (wgpolicyk8s.io/v1alpha2): one for each cluster, in its namespace, and one for each namespace in audit mode. What could
 * not be looked at is skipped there, never passed.
 *
 * @param now of the results' timestamps
 */
export function policyReportsOf(report: AuditReport, now: Date): JsonObject[] {
  const common = {
    source: FIELD_MANAGER,
    timestamp: { seconds: Math.floor(now.getTime() / 1000), nanos: 0 },
  };
  const ofClusters = report.clusters.map((cluster) =>
    policyReport(cluster.namespace, nameOf(cluster.scope), clusterResults(cluster), common),
  );
  const { auditMode } = report;
  const ofNamespaces = (auditMode?.namespaces ?? []).map((namespace) =>
    policyReport(namespace, besideClusters(AUDIT_MODE), auditModeResults(namespace, auditMode), common),
  );
  return [...ofClusters, ...ofNamespaces];
}

function policyReport(
  namespace: string,
  name: string,
  results: readonly Result[],
  common: JsonObject,
): JsonObject {
  const count = (result: Result["result"]): number => results.filter((each) => each.result === result).length;
  return {
    apiVersion: "wgpolicyk8s.io/v1alpha2",
    kind: "PolicyReport",
    metadata: { namespace, name, labels: { [MANAGED_BY_LABEL]: FIELD_MANAGER } },
    summary: { pass: 0, fail: count("fail"), warn: count("warn"), error: 0, skip: count("skip") },
    results: results.map((each) => ({ ...common, ...each })),
  };
}

function clusterResults({ findings, unseen }: ClusterReport): Result[] {
  const found = findings.map(({ code, object, field, evidence }): Result => {
    const { family, severity, remedy } = FINDINGS[code];
    return {
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
    codes.map(
      (policy): Result => ({
        policy,
        category: FINDINGS[policy].family,
        result: "skip",
        message: `could not be looked at: ${why}`,
      }),
    ),
  );
  return [...found, ...skipped];
}

/** Pods that would have been changed are warned of; those that would not, and replicas that told nothing, are skipped. */
function auditModeResults(namespace: string, mode: AuditMode | undefined): Result[] {
  const { groups = [], unread = [] } = mode ?? {};
  const common = { policy: AUDIT_MODE, category: AUDIT_MODE };
  const told = groups
    .filter((group) => group.namespace === namespace)
    .map(
      (group): Result => ({
        ...common,
        severity: SEVERITIES.info,
        result: isChange(group) ? "warn" : "skip",
        message: `in the last hour: ${wouldBe(group)}`,
        resources: group.pods.map((name) => ({ kind: "Pod", namespace, name })),
        properties: { reason: group.reason },
      }),
    );
  const missing = unread.map(
    ({ replica, why }): Result => ({
      ...common,
      result: "skip",
      message: `could not be looked at: ${replica}: ${why}`,
    }),
  );
  return [...told, ...missing];
}

const nameOf = (scope: string | undefined): string =>
  scope === undefined ? besideClusters("strays") : `patroni-injector-${clusterNamePart(scope)}`;

/** Whatever a cluster is called, its report has another name. */
const besideClusters = (what: string): string => `patroni-injector.${what}`;
