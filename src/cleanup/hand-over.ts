import { setTimeout as delay } from "node:timers/promises";
import { CLUSTER_LABEL, DOMAIN, MANAGED_BY_LABEL } from "../contract/names.ts";
import { SLICE_SERVICE_LABEL } from "../contract/slice-annotations.ts";
import { labelOf, metadataOf, nameOf } from "../controller/facts/slim.ts";
import { isCode, type Objects } from "../controller/objects.ts";
import { asObject, asString, at, type JsonObject, objectsIn } from "../json/value.ts";

/** No pod has it: while the Service selects by this, nothing but our slice leads anywhere. */
const NOBODY = { [`${DOMAIN}/leaving`]: "true" };

/** Milliseconds. */
const POLL_MS = 20;

/** A write that meets another is tried again, on what is there then. */
const TRIES = 10;

/** Milliseconds. */
export interface HandOverWaits {
  /** How long a controller of ours, if one runs, may take to see that the Service is occupied. */
  readonly controllerMs: number;
  /** How long Kubernetes may take to lead somewhere, after it was told to. */
  readonly patienceMs: number;
}

export interface HandOver extends HandOverWaits {
  readonly namespace: string;
  readonly service: string;
  readonly selector: Readonly<Record<string, string>>;
}

/**
 * Gives the primary Service to Kubernetes, which then leads to whatever Patroni labels as the primary. Two sources of addresses
 * would be two backends, so that at no time both are there:
 *
 * 1. a selector that finds nobody: the Service is occupied now. Our slice leads on, until a controller that runs has seen that
 *    and takes the slice away: one that had not seen it would make the slice anew;
 * 2. the slice goes, where no controller did that in time: from here on clients reach nobody;
 * 3. the selector that finds the primary: the Service is none of ours any more, and leads again as soon as Kubernetes has seen it.
 *
 * Ended half-way, it is to be run again: each step is done once, however often it is begun.
 *
 * @returns how long nobody led, as seen here; undefined where Kubernetes did not lead anywhere within the patience
 */
export async function handOver(objects: Objects, order: HandOver): Promise<number | undefined> {
  const { namespace, service, selector } = order;
  await changeService(objects, order, (live) => [
    { op: "add", path: "/spec/selector", value: at(live, "spec", "selector") ?? NOBODY },
  ]);
  await gone(objects, order);
  const since = performance.now();
  await again(async () => {
    for (;;) {
      const slice = await objects.read("endpointslices", namespace, service);
      if (slice === undefined) return;
      await objects.remove("endpointslices", slice);
    }
  });
  await changeService(objects, order, (live) => [
    { op: "replace", path: "/spec/selector", value: { ...selector } },
    ...disowned(live),
  ]);
  return led(objects, order, since);
}

/** Waits until a controller has taken the slice away, or has had the time to. */
async function gone(objects: Objects, { namespace, service, controllerMs }: HandOver): Promise<void> {
  const since = performance.now();
  while (performance.now() - since < controllerMs) {
    if ((await objects.read("endpointslices", namespace, service)) === undefined) return;
    await delay(POLL_MS);
  }
}

/** Everything by which the Service is known as ours. */
function disowned(service: JsonObject): JsonObject[] {
  const { labels, annotations } = metadataOf(service);
  const mine = (key: string): boolean => key === MANAGED_BY_LABEL || key.startsWith(`${DOMAIN}/`);
  const removed = (what: string, entries: unknown) =>
    Object.keys(asObject(entries as JsonObject) ?? {})
      .filter(mine)
      .map((key) => ({
        op: "remove",
        path: `/metadata/${what}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`,
      }));
  return [...removed("labels", labels), ...removed("annotations", annotations)];
}

async function changeService(
  objects: Objects,
  { namespace, service }: HandOver,
  operations: (live: JsonObject) => JsonObject[],
): Promise<void> {
  await again(async () => {
    const live = await objects.read("services", namespace, service);
    if (live === undefined) throw new Error(`Service ${service} is gone`);
    const resourceVersion = asString(metadataOf(live).resourceVersion) ?? "";
    await objects.patch("services", { namespace, name: service, resourceVersion }, operations(live));
  });
}

/** Tries again where somebody else has written meanwhile. */
async function again(work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      // A JSON patch whose test fails is answered 422.
      if (tries === TRIES || !(isCode(error, 409) || isCode(error, 422))) throw error;
    }
  }
}

async function led(
  objects: Objects,
  { namespace, service, patienceMs }: HandOver,
  since: number,
): Promise<number | undefined> {
  const selector = `${SLICE_SERVICE_LABEL}=${service}`;
  while (performance.now() - since < patienceMs) {
    const slices = await objects.list("endpointslices", namespace, selector);
    if (slices.some(leads)) return performance.now() - since;
    await delay(POLL_MS);
  }
  return undefined;
}

const leads = (slice: JsonObject): boolean =>
  labelOf(slice, CLUSTER_LABEL) === undefined &&
  nameOf(slice) !== "" &&
  objectsIn(slice.endpoints).some((endpoint) => at(endpoint, "conditions", "ready") !== false);
