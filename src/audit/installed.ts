import { toInjectionSettings } from "../config/injection-settings.ts";
import { loadConfig, ownDefaults } from "../config/load.ts";
import { parseConfig } from "../config/parse.ts";
import type { Config } from "../config/schema.ts";
import { FIELD_MANAGER } from "../contract/names.ts";
import type { InjectionSettings } from "../injection/settings.ts";
import { asString, at, objectsIn } from "../json/value.ts";
import type { KubeConnection } from "../kube/connection.ts";

/** What is audited against, and where it comes from. */
export interface Wanted {
  readonly config: Config;
  readonly settings: InjectionSettings;
  readonly from: string;
}

/** The chart's ConfigMap, by its label and key. */
const LABEL = `app.kubernetes.io/name=${FIELD_MANAGER}`;
const KEY = "config.yaml";

/**
 * The configuration of the file; without one that of the injector which is installed in the cluster, else the defaults.
 *
 * @throws ConfigError where the configuration is not valid
 */
export async function wantedConfig(
  file: string | undefined,
  connection: KubeConnection | undefined,
): Promise<Wanted> {
  if (file !== undefined) return wanted(await loadConfig(file), undefined, file);
  const found = connection && (await installed(connection));
  if (found === undefined)
    return wanted(parseConfig("", "defaults", ownDefaults()), undefined, "the defaults");
  const { namespace, name, text } = found;
  const from = `ConfigMap ${namespace}/${name}`;
  return wanted(parseConfig(text, from, ownDefaults()), namespace, from);
}

const wanted = (config: Config, ownNamespace: string | undefined, from: string): Wanted => ({
  config,
  settings: toInjectionSettings(config, { ownNamespace }),
  from,
});

/** Who may not look finds none. */
async function installed(
  connection: KubeConnection,
): Promise<{ namespace: string; name: string; text: string } | undefined> {
  const query = { labelSelector: LABEL };
  const list = await connection
    .send({ method: "GET", path: "/api/v1/configmaps", query })
    .catch(() => undefined);
  for (const object of objectsIn(list?.items)) {
    const text = asString(at(object, "data", KEY));
    const [namespace, name] = ["namespace", "name"].map((key) => asString(at(object, "metadata", key)));
    if (text !== undefined && namespace !== undefined && name !== undefined) return { namespace, name, text };
  }
  return undefined;
}
