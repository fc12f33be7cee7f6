import { asString, at, type JsonObject, objectsIn } from "../json/value.ts";

/** The entry of a container's own `env` list; the last of a name counts, as the kubelet has it. */
export function envEntry(container: JsonObject, name: string): JsonObject | undefined {
  return objectsIn(container.env).findLast((entry) => entry.name === name);
}

/** The literal value of an env entry; undefined where it is absent or comes from elsewhere. */
export function envValue(container: JsonObject, name: string): string | undefined {
  const entry = envEntry(container, name);
  return entry === undefined || (entry.valueFrom ?? null) !== null ? undefined : asString(entry.value);
}

const LABEL_REFERENCE = /^metadata\.labels\['(.+)'\]$/;

/**
 * The value of an env entry as far as the pod itself tells it: a literal one, or one that a `fieldRef` takes from the
 * pod's labels. Undefined for anything else, and for a literal with an unexpanded `$(…)`.
 */
export function knownEnvValue(pod: JsonObject, container: JsonObject, name: string): string | undefined {
  const literal = envValue(container, name);
  if (literal !== undefined) return literal.includes("$(") ? undefined : literal;
  const path = asString(at(envEntry(container, name), "valueFrom", "fieldRef", "fieldPath"));
  const label = path === undefined ? undefined : LABEL_REFERENCE.exec(path)?.[1];
  return label === undefined ? undefined : asString(at(pod, "metadata", "labels", label));
}
