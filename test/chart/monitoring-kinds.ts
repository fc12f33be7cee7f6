import { setTimeout as delay } from "node:timers/promises";
import type { JsonObject } from "../../src/json/value.ts";
import type { ApiClient } from "../cluster/api-client.ts";

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
export async function installCustomResources(api: ApiClient): Promise<void> {
  for (const [kind, spec] of Object.entries(SPECS)) {
    const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    const { status, body } = await api.request("POST", path, definition(kind, spec));
    if (status !== 201) throw new Error(`POST ${path}: ${status} ${JSON.stringify(body)}`);
  }
  for (const kind of Object.keys(SPECS)) {
    const path = `/apis/${GROUP}/v1/${kind.toLowerCase()}s`;
    while ((await api.request("GET", path)).status !== 200) await delay(100);
  }
}

function definition(kind: string, spec: JsonObject): JsonObject {
  const plural = `${kind.toLowerCase()}s`;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${plural}.${GROUP}`,
      annotations: { "api-approved.kubernetes.io": "unapproved, a test's own" },
    },
    spec: {
      group: GROUP,
      scope: "Namespaced",
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: mapping({ spec }) } }],
    },
  };
}
