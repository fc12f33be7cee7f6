import { metadataOf, nameOf } from "../controller/facts/slim.ts";
import type { Objects } from "../controller/objects.ts";
import { momentOf } from "../controller/prune/clocks.ts";
import type { Holder } from "../controller/prune/holders.ts";
import { type Made, verdictOn } from "../controller/prune/verdict.ts";
import { asObject, asString, at, type JsonObject } from "../json/value.ts";
import type { Arguments } from "./arguments.ts";
import {
  type Cluster,
  clustersIn,
  holdersIn,
  type Surroundings,
  surroundingsOf,
  titleOf,
} from "./collect.ts";
import { type HandOverWaits, handOver } from "./hand-over.ts";
import { leaving } from "./leave.ts";
import type { Row } from "./row.ts";

export interface CleanupOptions extends Pick<Arguments, "namespaces" | "leave" | "dryRun"> {
  readonly waits: HandOverWaits;
}

/** What is said of one object, before its place is added. */
type Result = Pick<Row, "object" | "done" | "open">;

/** Cleans up, one cluster after the other. What fails for one object stands in its row, and keeps nothing else from being done. */
export async function cleanup(objects: Objects, options: CleanupOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for (const cluster of await clustersIn(objects, options.namespaces)) {
    const { namespace, cluster: name } = cluster;
    const results = await cleanCluster(objects, cluster, options);
    rows.push(...results.map((result) => ({ namespace, cluster: name, ...result })));
  }
  return rows;
}

async function cleanCluster(objects: Objects, cluster: Cluster, options: CleanupOptions): Promise<Result[]> {
  const surroundings = await surroundingsOf(objects, cluster.namespace);
  const holders = holdersIn(surroundings, cluster);
  const user = surroundings.enabled ? holders.find(({ optedOut }) => !optedOut) : undefined;
  if (user !== undefined) return [inUse(user, options)];

  const handed =
    options.leave && holders.length > 0 ? await handPrimaryOver(objects, cluster, surroundings, options) : [];
  const results = handed.map(({ result }) => result);
  const settled = new Set(handed.flatMap(({ made }) => made));
  for (const made of cluster.made.filter((each) => !settled.has(each))) {
    results.push(await clean(objects, made, holders, options));
  }
  return results;
}

function inUse({ name }: Holder, { leave }: CleanupOptions): Result {
  const why = `the namespace is opted in, and ${name} is of this cluster`;
  return leave
    ? { object: "*", done: `refused: ${why}: opt out first`, open: true }
    : { object: "*", done: `kept: ${why}`, open: false };
}

async function clean(
  objects: Objects,
  made: Made,
  holders: readonly Holder[],
  { dryRun }: CleanupOptions,
): Promise<Result> {
  const nothing = new Set<string>();
  const now = momentOf(Date.now());
  const verdict = verdictOn(made, { wanted: nothing, known: nothing, holders, now, byHand: true });
  const object = titleOf(made);
  if (verdict.kind === "keep") {
    return { object, done: `kept: ${verdict.why}`, open: verdict.holder !== undefined };
  }
  return removed(objects, made, dryRun);
}

async function removed(objects: Objects, made: Made, dryRun: boolean): Promise<Result> {
  const object = titleOf(made);
  if (dryRun) return { object, done: "would be removed", open: false };
  return attempted(object, async () => {
    await objects.remove(made.resource, made.object);
    return { object, done: "removed", open: false };
  });
}

/** What became of the primary Service and of its slice, which is settled with that. */
async function handPrimaryOver(
  objects: Objects,
  cluster: Cluster,
  { pods }: Surroundings,
  { dryRun, waits }: CleanupOptions,
): Promise<{ made: Made[]; result: Result }[]> {
  const slice = cluster.made.find(({ resource }) => resource === "endpointslices");
  const service = cluster.made.find(
    ({ resource, object }) => resource === "services" && at(object, "spec", "clusterIP") !== "None",
  );
  const primary = service ?? slice;
  if (primary === undefined) return [];
  const made = [service, slice].flatMap((each) => each ?? []);
  const object = titleOf(primary);
  const refused = (why: string) => [{ made, result: { object, done: `refused: ${why}`, open: true } }];

  if (service === undefined && (await hasSelector(objects, primary.object))) {
    return [{ made, result: await removed(objects, primary, dryRun) }];
  }
  const plan = leaving(cluster.cluster, pods, slice?.object);
  if (plan.kind === "refuse") return refused(plan.why);
  const selector = Object.entries(plan.selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const { namespace } = cluster;
  if (service === undefined)
    return refused(`the Service is your own: let it select ${selector}, and run this again`);
  if (dryRun) {
    return [{ made, result: { object, done: `would select ${selector} (now ${plan.leader})`, open: false } }];
  }
  const name = object.slice(object.indexOf("/") + 1);
  const result = await attempted(object, async () => {
    const order = { namespace, service: name, selector: plan.selector, ...waits };
    const outageMs = await handOver(objects, order);
    const done = `selects ${selector} (now ${plan.leader})`;
    return outageMs === undefined
      ? { object, done: `${done}, but Kubernetes leads nowhere yet`, open: true }
      : { object, done: `${done}; led nowhere for ${Math.round(outageMs)} ms`, open: false };
  });
  return [{ made, result }];
}

/** Somebody has given the Service of this slice a selector: the slice is a second source there. */
async function hasSelector(objects: Objects, slice: JsonObject): Promise<boolean> {
  const { namespace } = metadataOf(slice);
  const service = await objects.read("services", asString(namespace) ?? "", nameOf(slice));
  return Object.keys(asObject(at(service, "spec", "selector")) ?? {}).length > 0;
}

async function attempted(object: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    return { object, done: `failed: ${error instanceof Error ? error.message : String(error)}`, open: true };
  }
}
