import { asObject, type Json, type JsonObject, objectsIn } from "../json/value.ts";

/**
 * A pod to be changed: a copy along the paths that mutations write to, sharing everything else with the original. A
 * mutation replaces values in these lists and maps; it never reaches into an entry of a list to write there.
 */
export interface Draft {
  readonly metadata: JsonObject;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly spec: JsonObject;
  readonly containers: JsonObject[];
  readonly initContainers: JsonObject[];
  readonly volumes: JsonObject[];
  readonly imagePullSecrets: JsonObject[];
  /** Index in `containers` of the one that runs Patroni, or {@link NO_PATRONI}; whoever takes out one before it brings it up to date. */
  patroni: number;
  /** The environment of that container. */
  readonly env: JsonObject[];
}

/** The place of Patroni's container in a pod without one. */
export const NO_PATRONI = -1;

/** The pod must have passed {@link shapeProblem}. */
export function openDraft(pod: JsonObject, patroni: number): Draft {
  const metadata = { ...asObject(pod.metadata) };
  const spec = { ...asObject(pod.spec) };
  const containers = objectsIn(spec.containers);
  return {
    metadata,
    labels: { ...asObject(metadata.labels) } as Record<string, string>,
    annotations: { ...asObject(metadata.annotations) } as Record<string, string>,
    spec,
    containers,
    initContainers: objectsIn(spec.initContainers),
    volumes: objectsIn(spec.volumes),
    imagePullSecrets: objectsIn(spec.imagePullSecrets),
    patroni,
    env: objectsIn(containers[patroni]?.env),
  };
}

/** The pod as planned. A list or map that was absent and stayed empty stays absent. */
export function closeDraft(pod: JsonObject, draft: Draft): JsonObject {
  const patroni = draft.containers[draft.patroni];
  if (patroni !== undefined) {
    draft.containers[draft.patroni] = withField(patroni, "env", draft.env);
  }
  const metadata = fields(draft.metadata, { labels: draft.labels, annotations: draft.annotations });
  const spec = fields(draft.spec, {
    containers: draft.containers,
    initContainers: draft.initContainers,
    volumes: draft.volumes,
    imagePullSecrets: draft.imagePullSecrets,
  });
  return { ...pod, metadata, spec };
}

function fields(object: JsonObject, values: Readonly<Record<string, Json>>): JsonObject {
  return Object.entries(values).reduce((whole, [key, value]) => withField(whole, key, value), object);
}

/** Leaves the object as it is where an empty value would only spell out an absent one. */
function withField(object: JsonObject, key: string, value: Json): JsonObject {
  const isEmpty = Array.isArray(value) ? value.length === 0 : Object.keys(value as JsonObject).length === 0;
  if (isEmpty && (object[key] === undefined || object[key] === null)) return object;
  return { ...object, [key]: value };
}
