import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { at, type JsonObject } from "../../../src/json/value.ts";
import { until } from "../kube-api/support.ts";
import { NAMESPACE, startWorld } from "./world.ts";

const SLICE = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices/orders-primary`;
const SERVICE = `/api/v1/namespaces/${NAMESPACE}/services/orders-primary`;

test("follows failovers of members without a sidecar: never two addresses, never an older term", async (t) => {
  const world = await startWorld(t);
  world.controller();
  await world.untilPublished(world.cluster.primary);
  const states: { addresses: number; timeline: number }[] = [];
  world.api.onChange(({ resource, object }) => {
    if (!resource.startsWith("endpointslices")) return;
    const slice = object.object as JsonObject;
    const term = String(at(slice, "metadata", "annotations", "patroni-injector.io/term") ?? "/0");
    states.push({ addresses: (slice.endpoints as unknown[]).length, timeline: Number(term.split("/")[1]) });
  });

  const [, second, third] = world.cluster.members;
  assert.ok(second && third);
  await world.cluster.switchover(second);
  await world.untilPublished(second);
  const crashed = second;
  await world.cluster.crash(third, 100);
  await world.untilPublished(third);
  await crashed.start();
  const hung = await world.cluster.freeze(crashed, 100);
  await world.untilPublished(crashed);
  if (hung !== undefined) await world.cluster.comeBack(hung);
  await delay(1500);

  assert.equal(world.published?.join(), crashed.host);
  assert.ok(states.every(({ addresses }) => addresses <= 1));
  const timelines = states.map(({ timeline }) => timeline);
  assert.deepEqual(
    timelines,
    timelines.toSorted((one, other) => one - other),
  );
  assert.equal(timelines.at(-1), 4);
});

test("leaves members with a live sidecar to it, for three seconds", async (t) => {
  const world = await startWorld(t, { sidecars: true });
  world.controller();
  await until("the slice is there", () => world.slice !== undefined);
  const began = performance.now();
  await world.untilPublished(world.cluster.primary);
  assert.ok(performance.now() - began > 2500, "the sidecar was given its time");
});

test("looks after the published member by itself, when its sidecar does not say that it is no primary any more", async (t) => {
  const world = await startWorld(t, { sidecars: true, kubernetesDcs: true });
  world.controller();
  await world.untilPublished(world.cluster.primary);
  const [, second] = world.cluster.members;
  assert.ok(second);
  await world.cluster.switchover(second); // the leader object names another for more than three seconds
  await world.untilPublished(second);
});

test("refuses a lower timeline until the user resets the term", async (t) => {
  const world = await startWorld(t);
  world.controller();
  await world.untilPublished(world.cluster.primary);
  const refused = (): boolean =>
    world.logged.some(({ msg, reason }) => msg === "finding" && reason === "term-refused");
  await world.patch(SLICE, {
    metadata: { annotations: { "patroni-injector.io/term": "7391026471882319361/9" } },
    endpoints: [],
  });
  await until("it is refused", refused);
  await delay(1500);
  assert.deepEqual(world.published, []);

  await world.patch(SERVICE, { metadata: { annotations: { "patroni-injector.io/reset-term": "restored" } } });
  await world.untilPublished(world.cluster.primary);
  const term = () => at(world.slice, "metadata", "annotations", "patroni-injector.io/term");
  assert.equal(term(), "7391026471882319361/1");

  await world.patch(SLICE, {
    metadata: { annotations: { "patroni-injector.io/term": "7391026471882319361/9" } },
    endpoints: [],
  });
  await delay(2500);
  assert.deepEqual(world.published, [], "one value of the annotation clears the term once");
});

test("takes a lower timeline whose member the leader object names for longer than the TTL", async (t) => {
  const world = await startWorld(t, { kubernetesDcs: true });
  world.controller();
  await world.untilPublished(world.cluster.primary);
  await world.patch(SLICE, {
    metadata: { annotations: { "patroni-injector.io/term": "7391026471882319361/9" } },
    endpoints: [],
  });
  await world.untilPublished(world.cluster.primary);
});

test("forgets the term with the last pod that had it", async (t) => {
  const world = await startWorld(t);
  world.controller();
  await world.untilPublished(world.cluster.primary);
  const term = () => at(world.slice, "metadata", "annotations", "patroni-injector.io/term");
  for (const member of world.cluster.members) {
    member.hang();
    await world.removePod(member.name);
  }
  await until(
    "the slice is empty, and without a term",
    () => world.published?.length === 0 && term() === undefined,
  );
});

test("removes nothing for a member that does not answer, and says so", async (t) => {
  const world = await startWorld(t);
  world.controller();
  const { primary } = world.cluster;
  await world.untilPublished(primary);
  await delay(1500); // the look after the publication, which would withdraw, is over
  primary?.hang();
  await until("it is said", () => world.logged.some(({ reason }) => reason === "unobservable"));
  assert.equal(world.published?.join(), primary?.host);
});
