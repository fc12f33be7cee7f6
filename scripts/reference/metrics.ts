import { METRICS, type MetricEntry } from "../../src/telemetry/catalog.ts";
import { code, page, table } from "./markdown.ts";

export function metricsPage(): string {
  const rows = Object.values<MetricEntry>(METRICS).map(({ name, kind, labels = [], help }) => [
    code(name),
    kind,
    labels.map(code).join(", "),
    help,
  ]);
  return page(
    "Metrics",
    "src/telemetry/catalog.ts",
    "At `/metrics` of the operations port of `serve`. The reasons are those of [Reason codes](reasons.md).",
    table(["Metric", "Kind", "Labels", "Meaning"], rows),
  );
}
