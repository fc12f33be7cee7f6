import schema from "../../charts/patroni-injector/values.schema.json" with { type: "json" };
import { asObject, type JsonObject } from "../../src/json/value.ts";
import { configurationSchema } from "./configuration.ts";

/** The chart's templates read these without asking whether they are there. */
const REQUIRED = [
  "selectors",
  "presets",
  "poolers",
  "excludedNamespaces",
  "watchNamespaces",
  "webhook",
  "operations",
  "controller",
  "sidecar",
  "drainSeconds",
];

/** The chart's schema with the configuration as it is now; the rest of it is written by hand. */
export const chartSchema = (): JsonObject => {
  const values = schema as unknown as JsonObject;
  return { ...values, properties: { ...asObject(values.properties), config: configValues() } };
};

/** The configuration, but for what the chart sets itself. */
function configValues(): JsonObject {
  const { $schema: _, title: __, properties, ...configuration } = configurationSchema();
  const all = asObject(properties) ?? {};
  const webhook = asObject(all.webhook) ?? {};
  const {
    registration: ___,
    certificates: ____,
    clientCA: _____,
    ...ofTheWebhook
  } = asObject(webhook.properties) ?? {};
  const open = { ...all, webhook: { ...webhook, properties: ofTheWebhook } };
  return { ...configuration, required: REQUIRED, properties: open };
}
