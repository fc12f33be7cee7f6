import type fc from "fast-check";
import { nanos } from "../../../src/injection/quantity.ts";
import { asObject, type Json, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { scene } from "../../properties/arbitraries/scenes.ts";

/**
 * The generated pods of the properties, brought close to what an API server accepts: those leave out much that no
 * decision depends on (an image, the volume behind a mount), and hold names that are not valid. What is still refused is
 * for the API server to say.
 */
export const almostValidPod: fc.Arbitrary<JsonObject> = scene.map(({ pod }) => completed(pod));

const QUALIFIED_NAME = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?)?$/;

function completed(pod: JsonObject): JsonObject {
  const { labels, annotations, ...metadata } = asObject(pod.metadata) ?? {};
  const { containers, initContainers, volumes, ...spec } = asObject(pod.spec) ?? {};
  const lists = {
    containers: objectsIn(containers).map(container),
    initContainers: objectsIn(initContainers).map(container),
  };
  return {
    ...pod,
    metadata: {
      ...metadata,
      labels: kept(labels, (key, value) => QUALIFIED_NAME.test(key) && LABEL_VALUE.test(String(value))),
      annotations: kept(annotations, (key) => QUALIFIED_NAME.test(key)),
    },
    spec: { ...spec, ...lists, volumes: withMounted(objectsIn(volumes), Object.values(lists).flat()) },
  };
}

function container(its: JsonObject): JsonObject {
  const { image = "registry.example/any", resources, ...rest } = its;
  const limits = kept(asObject(resources)?.limits, isPositive);
  const requests = kept(
    asObject(resources)?.requests,
    (name, value) => limits[name] === undefined || amount(value) <= amount(limits[name]),
  );
  return { ...rest, image, resources: { limits, requests } };
}

const amount = (quantity: Json | undefined): bigint => nanos(String(quantity)) ?? 0n;
const isPositive = (_name: string, quantity: Json | undefined): boolean => amount(quantity) >= 0n;

/** With a volume for every mount that has none. */
function withMounted(volumes: JsonObject[], containers: readonly JsonObject[]): JsonObject[] {
  const mounted = containers.flatMap(({ volumeMounts }) => objectsIn(volumeMounts).map(({ name }) => name));
  const missing = [...new Set(mounted)].filter((name) => !volumes.some((volume) => volume.name === name));
  return [...volumes, ...missing.map((name) => ({ name, emptyDir: {} }))];
}

const kept = (map: unknown, keep: (key: string, value: Json | undefined) => boolean): JsonObject =>
  Object.fromEntries(Object.entries(asObject(map) ?? {}).filter(([key, value]) => keep(key, value)));
