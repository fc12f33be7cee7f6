import type { Metrics } from "../telemetry/metrics.ts";
import type { SuspensionWatch } from "./breaker/watch.ts";
import type { Reports } from "./reports.ts";
import { severityOf } from "./severity.ts";
import { uninjectedReason } from "./uninjected/uninjected.ts";
import { isActive } from "./view.ts";
import type { Views } from "./views.ts";

export interface Measured {
  readonly views: Views;
  readonly reports: Reports;
  readonly suspensions: SuspensionWatch | undefined;
  readonly queueDepth: number;
}

/** Brings the controller's gauges up to date. */
export function measure(metrics: Metrics, { views, reports, suspensions, queueDepth }: Measured): void {
  const active = [...views.where(isActive)].map(([, view]) => view);
  const pods = active.flatMap(({ members }) => members);
  metrics.controllerQueueDepth.set(queueDepth);
  metrics.controllerClusters.set(active.length);
  for (const sidecar of ["running", "down", "absent"] as const) {
    metrics.controllerPods.set({ sidecar }, pods.filter((pod) => pod.sidecar === sidecar).length);
  }
  metrics.uninjectedPods.reset();
  for (const view of active) {
    for (const pod of view.members) {
      const reason = uninjectedReason(pod, view);
      if (reason !== undefined) metrics.uninjectedPods.inc({ target_namespace: pod.namespace, reason });
    }
  }
  metrics.suspensions.reset();
  for (const target_namespace of suspensions?.all.keys() ?? [])
    metrics.suspensions.set({ target_namespace }, 1);
  metrics.controllerFindings.reset();
  for (const [reason, count] of reports.counts())
    metrics.controllerFindings.set({ reason, severity: severityOf(reason) }, count);
}
