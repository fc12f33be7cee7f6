import { annotationsPage } from "./annotations.ts";
import { configurationPage, configurationSchema } from "./configuration.ts";
import { metricsPage } from "./metrics.ts";
import { reasonsPage } from "./reasons.ts";

/** The files of docs/reference, by name: what the sources say now. */
export const referenceFiles = (): Record<string, string> => ({
  "annotations.md": annotationsPage(),
  "config.schema.json": `${JSON.stringify(configurationSchema(), undefined, 2)}\n`,
  "configuration.md": configurationPage(),
  "metrics.md": metricsPage(),
  "reasons.md": reasonsPage(),
});
