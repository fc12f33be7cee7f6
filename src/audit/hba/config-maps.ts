import { asString, at, type JsonObject } from "../../json/value.ts";
import { LONGEST } from "../../patroni/configuration-document.ts";
import { looksLikePatroni, replicationExcerpt } from "../../patroni/replication-excerpt.ts";
import { type ObjectRef, refTo } from "../finding.ts";
import type { Seen } from "../need.ts";
import type { Snapshot } from "../snapshot.ts";

/** Where a text stands. */
export interface Place {
  readonly object: ObjectRef;
  readonly field: string;
  /** In words, as evidence names it. */
  readonly name: string;
}

/** A text in which a configuration of Patroni may stand. */
export interface Text {
  readonly text: string;
  readonly place: Place;
}

/** A ConfigMap of the cluster's namespace, by its name. */
export type ConfigMaps = (name: string) => Seen<JsonObject>;

export function configMapsOf(snapshot: Snapshot, namespace: string): ConfigMaps {
  return (name) => {
    const objects = snapshot.objects("ConfigMap", namespace);
    if ("unseen" in objects) return objects;
    const value = objects.value.find(({ metadata }) => at(metadata, "name") === name);
    return value === undefined ? { unseen: `there is no ConfigMap ${namespace}/${name}` } : { value };
  };
}

/** What a ConfigMap holds under a key; undefined where it is nothing that could be read. */
export function textIn(configMap: JsonObject, key: string): Text | undefined {
  const text = asString(at(configMap, "data", key));
  if (text === undefined) return undefined;
  const object = refTo(configMap, "ConfigMap");
  const field = `data.${key.replaceAll(".", "\\.")}`;
  return { text, place: { object, field, name: `${key} of ConfigMap ${object.name}` } };
}

/**
 * Of the data of a ConfigMap, which may be anything and large, what configurations of Patroni say of who may replicate. What cannot be
 * read is dropped too.
 */
export function slimConfigMap({ data, binaryData: _binaryData, ...rest }: JsonObject): JsonObject {
  const kept: JsonObject = {};
  for (const [key, text] of Object.entries(data ?? {})) {
    if (typeof text !== "string" || text.length > LONGEST || !looksLikePatroni(text)) continue;
    const excerpt = replicationExcerpt(text);
    if (excerpt.kind === "read") kept[key] = JSON.stringify(excerpt.configuration);
  }
  return Object.keys(kept).length === 0 ? rest : { ...rest, data: kept };
}
