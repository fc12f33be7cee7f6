import { readOptions } from "../../injection/options.ts";
import { asString, at, isObject, type JsonObject, objectsIn } from "../../json/value.ts";
import { type Flavour, findPatroniContainer, flavourOf } from "../../patroni/container.ts";
import { envEntry } from "../../patroni/env.ts";
import type { Excerpt } from "../../patroni/replication-excerpt.ts";
import type { Seen } from "../need.ts";
import type { PodTemplate } from "../templates.ts";
import { type ConfigMaps, type Place, type Text, textIn } from "./config-maps.ts";
import { mountedTexts } from "./mounted.ts";

/** What a member's own configuration says of who may replicate, as far as it stands in objects. */
export interface Local {
  readonly pod: JsonObject;
  readonly container: JsonObject;
  readonly flavour: Flavour;
  /** Only the part that is of use here; empty where the image makes all of it. */
  readonly configuration: JsonObject;
  /** Patroni takes `PATRONI_*` over it. */
  readonly underEnvironment: boolean;
  /** Which text says it; undefined where none does. */
  placeOf(...path: readonly string[]): Place | undefined;
}

/**
 * Where Patroni takes it from (config.py, `Config`): files that it is started with, under its environment, else `PATRONI_CONFIGURATION`
 * and nothing beside it. Spilo makes its file of `SPILO_CONFIGURATION`, else `PATRONI_CONFIGURATION` (configure_spilo.py). Environment
 * that a Secret fills as a whole is taken to hold none.
 *
 * @param read may remember: members of a cluster have the same text
 */
export function localConfiguration(
  template: PodTemplate,
  configMaps: ConfigMaps,
  read: (text: string) => Excerpt,
): Seen<Local> {
  const { pod } = template;
  const containers = objectsIn(at(pod, "spec", "containers"));
  const index = patroniIndex(pod, containers);
  const container = containers[index];
  if (container === undefined) return { unseen: "which container runs Patroni cannot be told" };
  const flavour = flavourOf(container);
  const field = `${template.path}spec.containers.${index}`;
  const variable = (name: string): Seen<readonly Text[]> | undefined =>
    variableText(container, name, { object: template.object, field, name }, configMaps);
  const files: Seen<readonly Text[]> =
    flavour === "spilo" ? { value: [] } : mountedTexts(pod, container, configMaps);
  const isFiled = "unseen" in files || files.value.length > 0;
  const whole = isFiled
    ? undefined
    : ((flavour === "spilo" ? variable("SPILO_CONFIGURATION") : undefined) ??
      variable("PATRONI_CONFIGURATION"));
  const texts = isFiled ? files : (whole ?? { value: [] });
  if ("unseen" in texts) return texts;

  const parts: { readonly place: Place; readonly configuration: JsonObject }[] = [];
  for (const { text, place } of texts.value) {
    const excerpt = read(text);
    if (excerpt.kind === "unreadable") return { unseen: `${place.name} cannot be read: ${excerpt.why}` };
    parts.push({ place, configuration: excerpt.configuration });
  }
  const local = {
    pod,
    container,
    flavour,
    configuration: parts.reduce<JsonObject>((all, each) => patched(all, each.configuration), {}),
    underEnvironment: flavour === "patroni" && whole === undefined,
    placeOf: (...path: readonly string[]) =>
      parts.findLast(({ configuration }) => at(configuration, ...path) !== undefined)?.place,
  };
  return { value: local };
}

function patroniIndex(pod: JsonObject, containers: readonly JsonObject[]): number {
  const named = readOptions(pod).values.container;
  if (named !== undefined) return containers.findIndex(({ name }) => name === named);
  const found = findPatroniContainer(containers);
  return found.kind === "found" ? found.index : -1;
}

/** Undefined where the container has no such variable. Of the kubelet's sources its own list wins, then the last. */
function variableText(
  container: JsonObject,
  name: string,
  { object, field }: Place,
  configMaps: ConfigMaps,
): Seen<readonly Text[]> | undefined {
  const entry = envEntry(container, name);
  if (entry !== undefined) {
    const reference = at(entry, "valueFrom", "configMapKeyRef");
    if (reference !== undefined) return keyOf(reference, configMaps);
    if (isObject(entry.valueFrom)) return { unseen: `${name} comes from what is not read` };
    const index = (container.env as JsonObject[]).indexOf(entry);
    const place = { object, field: `${field}.env.${index}.value`, name };
    return { value: [{ text: asString(entry.value) ?? "", place }] };
  }
  for (const source of objectsIn(container.envFrom).toReversed()) {
    if (source.configMapRef === undefined) continue;
    const prefix = asString(source.prefix) ?? "";
    if (!name.startsWith(prefix)) continue;
    const configMap = configMaps(String(at(source.configMapRef, "name")));
    if ("unseen" in configMap)
      return { unseen: `${name} may be set by what is not seen: ${configMap.unseen}` };
    const text = textIn(configMap.value, name.slice(prefix.length));
    if (text !== undefined) return { value: [text] };
  }
  return undefined;
}

function keyOf(reference: unknown, configMaps: ConfigMaps): Seen<readonly Text[]> {
  const [name, key] = [String(at(reference, "name")), String(at(reference, "key"))];
  const configMap = configMaps(name);
  if ("unseen" in configMap) return configMap;
  const text = textIn(configMap.value, key);
  return text === undefined
    ? { unseen: `${key} of ConfigMap ${name} is no configuration of Patroni that could be read` }
    : { value: [text] };
}

/** As Patroni lays one file over those before it (utils.py, `patch_config`): a null takes away. */
function patched(below: JsonObject, above: JsonObject): JsonObject {
  const result = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const under = result[key];
    if (value === null) delete result[key];
    else result[key] = isObject(value) && isObject(under) ? patched(under, value) : value;
  }
  return result;
}
