import { AUDIT_SCHEMA } from "../../src/audit/report/schema.ts";
import type { JsonObject } from "../../src/json/value.ts";
import { openapi } from "../../src/sidecar/reload/http/openapi.ts";
import { annotationsPage } from "./annotations.ts";
import { chartSchema } from "./chart-schema.ts";
import { configurationPage, configurationSchema } from "./configuration.ts";
import { findingsPage } from "./findings.ts";
import { metricsPage } from "./metrics.ts";
import { reasonsPage } from "./reasons.ts";
import { reloadPage } from "./reload.ts";

/** The files of docs/reference, and one of the chart, by their path from there: what the sources say now. */
export const referenceFiles = (): Record<string, string> => ({
  "../../charts/patroni-injector/values.schema.json": json(chartSchema()),
  "annotations.md": annotationsPage(),
  "audit.schema.json": json(AUDIT_SCHEMA as JsonObject),
  "config.schema.json": json(configurationSchema()),
  "configuration.md": configurationPage(),
  "findings.md": findingsPage(),
  "metrics.md": metricsPage(),
  "reasons.md": reasonsPage(),
  "reload-openapi.json": json(openapi() as JsonObject),
  "reload.md": reloadPage(),
});

const json = (value: JsonObject): string => `${JSON.stringify(value, undefined, 2)}\n`;
