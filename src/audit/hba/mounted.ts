import { asObject, asString, at, isObject, type JsonObject, objectsIn } from "../../json/value.ts";
import type { Seen } from "../need.ts";
import { type ConfigMaps, type Text, textIn } from "./config-maps.ts";

/**
 * The files of the configuration that Patroni is started with, in the order in which it reads them (config.py, `_load_config_path`): one
 * file, or what ends in `.yml` or `.yaml` in a folder. None where it is not mounted but made in the container.
 */
export function mountedTexts(
  pod: JsonObject,
  container: JsonObject,
  configMaps: ConfigMaps,
): Seen<readonly Text[]> {
  const path = configurationPath(container);
  const mount = path === undefined ? undefined : mountOf(container, path);
  if (path === undefined || mount === undefined) return { value: [] };
  const volume = objectsIn(at(pod, "spec", "volumes")).find(({ name }) => name === mount.name);
  const inside = [asString(mount.subPath) ?? "", path.slice(String(mount.mountPath).length)]
    .flatMap((part) => part.split("/"))
    .filter((step) => step !== "")
    .join("/");
  const sources = sourcesOf(volume ?? {});
  const found: (readonly [string, Text])[] = [];
  for (const source of sources) {
    const files = filesOf(source, configMaps);
    if ("unseen" in files) return files;
    for (const [file, text] of files.value) {
      if (!isRead(file, inside)) continue;
      if (text === undefined) return { unseen: `${path} is of ${nameOf(source)}, which is not read` };
      found.push([file, text]);
    }
  }
  if (found.length === 0 && sources.length > 0)
    return { unseen: `${path} holds no configuration of Patroni that could be read` };
  return { value: found.sort(([one], [other]) => (one < other ? -1 : 1)).map(([, text]) => text) };
}

/** What follows the program's name, also within a script; or the only argument of an image that starts it by itself. */
function configurationPath({ command, args }: JsonObject): string | undefined {
  const words = [command, args].flatMap((part) => (Array.isArray(part) ? part : []));
  const [, path] = /(?:^|[\s/])patroni(?:\.py)?\s+(\/\S+)/.exec(words.join(" ")) ?? [];
  const [only, ...others] = words;
  return path ?? (others.length === 0 && /^\/.*\.ya?ml$/.test(String(only)) ? String(only) : undefined);
}

/** The innermost one. */
function mountOf({ volumeMounts }: JsonObject, path: string): JsonObject | undefined {
  return objectsIn(volumeMounts)
    .filter(
      ({ mountPath }) => path === mountPath || path.startsWith(`${String(mountPath).replace(/\/$/, "")}/`),
    )
    .sort((one, other) => String(other.mountPath).length - String(one.mountPath).length)[0];
}

/** Its ConfigMaps and Secrets; a volume of any other kind is filled in the pod. */
function sourcesOf({ configMap, secret, projected }: JsonObject): JsonObject[] {
  if (isObject(configMap)) return [{ configMap }];
  if (isObject(secret)) return [{ secret: { ...secret, name: secret.secretName } }];
  return objectsIn(at(projected, "sources")).filter(
    (source) => isObject(source.configMap) || isObject(source.secret),
  );
}

const nameOf = ({ configMap, secret }: JsonObject): string =>
  configMap === undefined ? `Secret ${at(secret, "name")}` : `ConfigMap ${at(configMap, "name")}`;

/** By the path in the volume; a Secret's have no text, and may be any where it does not list them. */
function filesOf(source: JsonObject, configMaps: ConfigMaps): Seen<[string, Text | undefined][]> {
  const { items } = asObject(source.configMap ?? source.secret) ?? {};
  const listed = Array.isArray(items)
    ? objectsIn(items).map(({ key, path }) => [String(path), String(key)] as const)
    : undefined;
  if (source.configMap === undefined)
    return { value: (listed ?? [["*", ""] as const]).map(([path]) => [path, undefined]) };
  const configMap = configMaps(String(at(source.configMap, "name")));
  if ("unseen" in configMap) return configMap;
  const all = Object.keys(asObject(configMap.value.data) ?? {}).map((key) => [key, key] as const);
  const texts = (listed ?? all).map(([path, key]) => [path, textIn(configMap.value, key)] as const);
  return { value: texts.flatMap(([path, text]) => (text === undefined ? [] : [[path, text]])) };
}

/** @param inside a file in the volume, or a folder */
function isRead(file: string, inside: string): boolean {
  if (file === inside || file === "*") return true;
  const folder = inside === "" ? "" : `${inside}/`;
  const rest = file.startsWith(folder) ? file.slice(folder.length) : "/";
  return !rest.includes("/") && /\.ya?ml$/.test(rest);
}
