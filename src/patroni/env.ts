import { asObject, asString, at, isObject, type Json, type JsonObject } from "../json/value.ts";

/** The entry of a container's own `env` list; the last of a name counts, as the kubelet has it. */
export function envEntry(container: JsonObject, name: string): JsonObject | undefined {
  const { env } = container;
  const found: Json | undefined = Array.isArray(env)
    ? env.findLast((entry) => isObject(entry) && entry.name === name)
    : undefined;
  return asObject(found);
}

/** The literal value of an env entry; undefined where it is absent or comes from elsewhere. */
export function envValue(container: JsonObject, name: string): string | undefined {
  return literalOf(envEntry(container, name));
}

function literalOf(entry: JsonObject | undefined): string | undefined {
  return entry === undefined || (entry.valueFrom ?? null) !== null ? undefined : asString(entry.value);
}

const LABEL_REFERENCE = /^metadata\.labels\['(.+)'\]$/;

/**
 * The value of an env entry as far as the pod itself tells it: a literal one, or one that a `fieldRef` takes from the
 * pod's labels. Undefined for anything else, and for a literal with an unexpanded `$(…)`.
 */
export function knownEnvValue(pod: JsonObject, container: JsonObject, name: string): string | undefined {
  const entry = envEntry(container, name);
  const literal = literalOf(entry);
  if (literal !== undefined) return literal.includes("$(") ? undefined : literal;
  const path = asString(at(entry, "valueFrom", "fieldRef", "fieldPath"));
  const label = path === undefined ? undefined : LABEL_REFERENCE.exec(path)?.[1];
  return label === undefined ? undefined : asString(at(pod, "metadata", "labels", label));
}
