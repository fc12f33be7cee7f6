import { isNoDeeperThan, isObject, type Json, type JsonObject } from "../json/value.ts";

/** Deeper than any pod: PodSpec's own deepest path has some fifteen levels. */
const DEEPEST = 64;

/** An absent field may also be null: that is what an empty key in YAML becomes. */
const absent = (value: unknown): value is null | undefined => value === undefined || value === null;

/**
 * The first place where the pod does not have the shape that the mutations rely on, in words, or undefined. Checked
 * once, before anything is read, so that no mutation needs to expect a number where a list belongs.
 */
export function shapeProblem(pod: unknown): string | undefined {
  if (!isNoDeeperThan(pod, DEEPEST)) return `nested deeper than ${DEEPEST} levels`;
  if (!isObject(pod)) return "not an object";
  return metadataProblem(pod.metadata) ?? specProblem(pod.spec);
}

function metadataProblem(metadata: Json | undefined): string | undefined {
  if (absent(metadata)) return undefined;
  if (!isObject(metadata)) return "metadata is not an object";
  return (
    stringProblem(metadata, "metadata", ["name", "generateName", "namespace"]) ??
    stringMapProblem(metadata.labels, "metadata.labels") ??
    stringMapProblem(metadata.annotations, "metadata.annotations")
  );
}

function specProblem(spec: Json | undefined): string | undefined {
  if (!isObject(spec)) return "spec is not an object";
  if (!Array.isArray(spec.containers)) return "spec.containers is not a list";
  return (
    stringProblem(spec, "spec", ["hostname", "subdomain", "dnsPolicy"]) ??
    objectProblem(spec, "spec", ["securityContext", "resources", "os", "nodeSelector"]) ??
    containersProblem(spec.containers, "spec.containers") ??
    containersProblem(spec.initContainers, "spec.initContainers") ??
    namedListProblem(spec.volumes, "spec.volumes") ??
    namedListProblem(spec.imagePullSecrets, "spec.imagePullSecrets")
  );
}

function containersProblem(containers: Json | undefined, path: string): string | undefined {
  const problem = namedListProblem(containers, path);
  if (problem !== undefined || absent(containers)) return problem;
  for (const [index, container] of (containers as JsonObject[]).entries()) {
    const here = `${path}[${index}]`;
    const inner =
      stringProblem(container, here, ["image"]) ??
      objectProblem(container, here, ["resources", "securityContext"]) ??
      resourcesProblem(container.resources, here) ??
      namedListProblem(container.env, `${here}.env`) ??
      listProblem(container.volumeMounts, `${here}.volumeMounts`) ??
      listProblem(container.ports, `${here}.ports`);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function resourcesProblem(resources: Json | undefined, path: string): string | undefined {
  return isObject(resources)
    ? objectProblem(resources, `${path}.resources`, ["requests", "limits"])
    : undefined;
}

function namedListProblem(list: Json | undefined, path: string): string | undefined {
  const problem = listProblem(list, path);
  if (problem !== undefined || absent(list)) return problem;
  const nameless = (list as JsonObject[]).findIndex((entry) => typeof entry.name !== "string");
  return nameless === -1 ? undefined : `${path}[${nameless}].name is not a string`;
}

function listProblem(list: Json | undefined, path: string): string | undefined {
  if (absent(list)) return undefined;
  if (!Array.isArray(list)) return `${path} is not a list`;
  const odd = list.findIndex((entry) => !isObject(entry));
  return odd === -1 ? undefined : `${path}[${odd}] is not an object`;
}

function stringMapProblem(map: Json | undefined, path: string): string | undefined {
  if (absent(map)) return undefined;
  if (!isObject(map)) return `${path} is not an object`;
  const odd = Object.keys(map).find((key) => typeof map[key] !== "string");
  return odd === undefined ? undefined : `${path}["${odd.slice(0, 80)}"] is not a string`;
}

function stringProblem(object: JsonObject, path: string, keys: readonly string[]): string | undefined {
  const odd = keys.find((key) => !absent(object[key]) && typeof object[key] !== "string");
  return odd === undefined ? undefined : `${path}.${odd} is not a string`;
}

function objectProblem(object: JsonObject, path: string, keys: readonly string[]): string | undefined {
  const odd = keys.find((key) => !absent(object[key]) && !isObject(object[key]));
  return odd === undefined ? undefined : `${path}.${odd} is not an object`;
}
