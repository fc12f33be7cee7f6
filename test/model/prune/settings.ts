import { toInjectionSettings } from "../../../src/config/injection-settings.ts";
import { parseConfig } from "../../../src/config/parse.ts";

/** The configuration's defaults. */
export const settings = toInjectionSettings(parseConfig("{}", "none", { clusterDomain: "cluster.local" }), {
  ownNamespace: "patroni-injector",
});
