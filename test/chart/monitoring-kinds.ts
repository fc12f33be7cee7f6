import type { JsonObject } from "../../src/json/value.ts";
import type { ApiClient } from "../cluster/api-client.ts";
import { installKind } from "./custom-kind.ts";

/**
 * The kinds of monitoring.coreos.com/v1 that the chart uses, with those of their fields that it uses: no other field is
 * taken. The names and types are those of the Prometheus operator's own definitions.
 */
const GROUP = "monitoring.coreos.com";

const text: JsonObject = { type: "string" };
const texts: JsonObject = { type: "array", items: text };
const words: JsonObject = { type: "object", additionalProperties: text };
const mapping = (properties: JsonObject): JsonObject => ({ type: "object", properties });
const listOf = (items: JsonObject): JsonObject => ({ type: "array", items });

const selector = mapping({
  matchLabels: words,
  matchExpressions: listOf(mapping({ key: text, operator: text, values: texts })),
});
const namespaceSelector = mapping({ any: { type: "boolean" }, matchNames: texts });
const interval: JsonObject = { type: "string", pattern: "^(0|(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?)$" };
const endpoint = mapping({
  port: text,
  path: text,
  interval,
  relabelings: listOf(mapping({ sourceLabels: texts, targetLabel: text })),
});
const rule = mapping({ alert: text, expr: text, for: interval, labels: words, annotations: words });

const SPECS: Readonly<Record<string, JsonObject>> = {
  ServiceMonitor: mapping({ selector, namespaceSelector, endpoints: listOf(endpoint) }),
  PodMonitor: mapping({ selector, namespaceSelector, podMetricsEndpoints: listOf(endpoint) }),
  PrometheusRule: mapping({ groups: listOf(mapping({ name: text, rules: listOf(rule) })) }),
};

/** Installs the kinds, and returns once they are served. */
export async function installMonitoringKinds(api: ApiClient): Promise<void> {
  for (const [kind, spec] of Object.entries(SPECS)) {
    await installKind(api, { group: GROUP, kind, schema: mapping({ spec }) });
  }
}
