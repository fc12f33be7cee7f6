import { UNUSED_SINCE_ANNOTATION } from "../../contract/service-annotations.ts";
import { asObject, asString, at, type JsonObject } from "../../json/value.ts";
import type { Caches } from "../caches.ts";
import { metadataOf, nameOf } from "../facts/slim.ts";
import { INDEX } from "../indexes.ts";
import type { Objects } from "../objects.ts";
import { momentOf, stampOf } from "./clocks.ts";
import {
  type Held,
  type Holder,
  knownPodHolder,
  knownPoolerHolder,
  knownWorkloadHolder,
  podHolder,
  workloadHolder,
} from "./holders.ts";
import { type Circumstances, keyOf, type Made, type Verdict, verdictOn } from "./verdict.ts";

/** Where the objects of a cluster are looked for. */
export interface Place {
  readonly namespace: string;
  /** The value of the cluster's label. */
  readonly cluster: string;
}

interface PruneParts {
  readonly objects: Objects;
  readonly caches: Caches;
  /** Told of what was done, by `<resource>/<namespace>/<name>`. */
  pruned?(what: Change, object: string): void;
}

/**
 * Removes what was made for a cluster and is no longer of use to it. Where the watches show something to do, the pods and
 * workloads are read anew, and what they say counts: a watch may lag behind a pod that was made a moment ago.
 */
export async function prune(
  { objects, caches, pruned }: PruneParts,
  place: Place,
  expected: Pick<Circumstances, "wanted" | "known">,
): Promise<void> {
  const made = caches.made(place.namespace, place.cluster);
  if (made.length === 0) return;
  const seen = { ...expected, byHand: false, holders: holdersSeen(caches, place), now: momentOf(Date.now()) };
  if (changesIn(made, seen).length === 0) return;
  const holders = await holdersNow(objects, heldBy(made, place), place.namespace);
  const now = momentOf(Date.now(), await objects.serverTime(place.namespace));
  for (const [{ resource, object }, kind] of changesIn(made, { ...seen, holders, now })) {
    const cache = caches.of(resource);
    if (kind === "remove") {
      await objects.remove(resource, object);
      cache.forget(object);
    } else {
      cache.take(await stamped(objects, object, kind === "mark" ? stampOf(now) : undefined));
    }
    pruned?.(kind, keyOf(resource, object));
  }
}

/** A cluster is known to the watches by a pod or a workload. */
export const isPresent = (caches: Caches, place: Place): boolean =>
  holdersSeen(caches, place).some(({ pooler }) => !pooler);

/** Whom pods and workloads of a namespace hold on to, read at the API server. */
export async function holdersNow(objects: Objects, held: Held, namespace: string): Promise<Holder[]> {
  const [pods, sets] = await Promise.all([
    objects.list("pods", namespace),
    objects.list("statefulsets", namespace),
  ]);
  return [
    ...pods.flatMap((pod) => podHolder(pod, held) ?? []),
    ...sets.flatMap((set) => workloadHolder(set, held) ?? []),
  ];
}

/** By what else but its label a pod of the cluster is known: the headless Services that were made for it. */
export function heldBy(made: readonly Made[], { cluster }: Pick<Place, "cluster">): Held {
  const headless = made.filter(({ object }) => at(object, "spec", "clusterIP") === "None");
  return { cluster, headless: new Set(headless.map(({ object }) => nameOf(object))) };
}

function holdersSeen(caches: Caches, { namespace, cluster }: Place): Holder[] {
  const index = INDEX.made(namespace, cluster);
  return [
    ...caches.pods.flatMap((pods) => pods.find(index)).map((pod) => knownPodHolder(pod, cluster)),
    ...caches.templates.find(index).map(knownWorkloadHolder),
    ...caches.poolers
      .flatMap((poolers) => poolers.find(index))
      .filter(({ container }) => container !== undefined)
      .map(knownPoolerHolder),
  ];
}

type Change = Exclude<Verdict["kind"], "keep">;

function changesIn(made: readonly Made[], circumstances: Circumstances): [Made, Change][] {
  return made.flatMap((each): [Made, Change][] => {
    const { kind } = verdictOn(each, circumstances);
    return kind === "keep" ? [] : [[each, kind]];
  });
}

/** The Service with, or without, the time since when it is unused. Under the condition that nobody has written since. */
function stamped(objects: Objects, service: JsonObject, stamp: string | undefined): Promise<JsonObject> {
  const { namespace, resourceVersion, annotations } = metadataOf(service);
  const place = {
    namespace: asString(namespace) ?? "",
    name: nameOf(service),
    resourceVersion: asString(resourceVersion) ?? "",
  };
  const path = `/metadata/annotations/${UNUSED_SINCE_ANNOTATION.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  const operations =
    stamp === undefined
      ? [{ op: "remove", path }]
      : [
          ...(asObject(annotations) === undefined
            ? [{ op: "add", path: "/metadata/annotations", value: {} }]
            : []),
          { op: "add", path, value: stamp },
        ];
  return objects.patch("services", place, operations);
}
