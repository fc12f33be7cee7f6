import assert from "node:assert/strict";
import test from "node:test";
import { makeInformer, PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import { PEER_AUTHENTICATIONS } from "../../../demo/kube-api/crds.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { onlyThorough } from "../../support/thorough.ts";
import { refusalOf, startWithClient, watching } from "./clients.ts";
import { pod, raw, until } from "./support.ts";

const namespace = "default";
const pods = "/api/v1/namespaces/default/pods";
const asMerge = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
const labelled = (name: string, role: string) => pod(name, { metadata: { labels: { role } } });

test("lists: selectors, order, versions, and items as built-in kinds have them", async (t) => {
  const { core, api } = await startWithClient(t);
  await core.createNamespace({ body: { metadata: { name: "default-2" } } });
  for (const [name, role] of [
    ["b", "replica"],
    ["a", "primary"],
    ["c", "replica"],
  ] as const) {
    await core.createNamespacedPod({ namespace, body: labelled(name, role) });
  }
  const last = await core.createNamespacedPod({ namespace: "default-2", body: labelled("d", "replica") });
  const names = (list: { items: { metadata?: { name?: string } }[] }) =>
    list.items.map((item) => item.metadata?.name);

  const all = await core.listPodForAllNamespaces();
  // In etcd's order of keys `default-2/` comes before `default/`.
  assert.deepEqual(names(all), ["d", "a", "b", "c"]);
  assert.equal(all.metadata?.resourceVersion, last.metadata?.resourceVersion);
  assert.deepEqual(names(await core.listNamespacedPod({ namespace, labelSelector: "role in (replica)" })), [
    "b",
    "c",
  ]);
  assert.deepEqual(names(await core.listNamespacedPod({ namespace, fieldSelector: "metadata.name!=b" })), [
    "a",
    "c",
  ]);
  assert.deepEqual(names(await core.listPodForAllNamespaces({ fieldSelector: "status.phase=Failed" })), []);
  assert.equal((await refusalOf(core.listNamespacedPod({ namespace, labelSelector: "a=b=c" }))).code, 400);

  const { body } = await raw(api, "GET", pods);
  assert.deepEqual([body.kind, body.apiVersion], ["PodList", "v1"]);
  for (const item of body.items as JsonObject[])
    assert.deepEqual([item.kind, item.apiVersion], [undefined, undefined]);
});

test("pages of a list show one state, whatever is written between them", async (t) => {
  const { core, api } = await startWithClient(t);
  for (const name of ["a", "b", "c", "d", "e"])
    await core.createNamespacedPod({ namespace, body: pod(name) });
  const first = await core.listNamespacedPod({ namespace, limit: 2 });
  assert.equal(first.metadata?.remainingItemCount, 3);
  await core.deleteNamespacedPod({ namespace, name: "c" });
  await core.createNamespacedPod({ namespace, body: pod("bb") });
  await core.patchNamespacedPod(
    { namespace, name: "d", body: { metadata: { labels: { new: "1" } } } },
    asMerge,
  );
  const rest = await core.listNamespacedPod({
    namespace,
    limit: 9,
    _continue: first.metadata?._continue ?? "",
  });
  assert.deepEqual(
    rest.items.map(({ metadata }) => metadata?.name),
    ["c", "d", "e"],
  );
  assert.equal(rest.items[1]?.metadata?.labels, undefined);
  assert.equal(rest.metadata?.resourceVersion, first.metadata?.resourceVersion);
  assert.equal(rest.metadata?._continue, undefined);

  api.compact();
  const late = core.listNamespacedPod({ namespace, limit: 9, _continue: first.metadata?._continue ?? "" });
  const { code, status } = await refusalOf(late);
  assert.deepEqual([code, status.reason], [410, "Expired"]);
});

test("a watch without a version begins with the present state", async (t) => {
  const { core, ...clients } = await startWithClient(t);
  await core.createNamespacedPod({ namespace, body: pod("a") });
  for (const query of [{}, { resourceVersion: "0" }]) {
    const seen = await watching(clients, pods, query);
    await until("the state", () => seen.events.length === 1);
    assert.deepEqual(seen.lines, ["ADDED a"]);
    assert.equal(seen.events[0]?.object.kind, "Pod");
    seen.stop();
  }
});

test("a watch from a version sees what came after it, once and in order, in its namespace", async (t) => {
  const { core, ...clients } = await startWithClient(t);
  await core.createNamespacedPod({ namespace, body: pod("a") });
  const { metadata } = await core.listNamespacedPod({ namespace });
  await core.createNamespacedPod({ namespace, body: pod("b") });
  await core.createNamespacedPod({ namespace: "kube-system", body: pod("elsewhere") });
  const seen = await watching(clients, pods, { resourceVersion: metadata?.resourceVersion ?? "" });
  await core.patchNamespacedPod(
    { namespace, name: "a", body: { metadata: { labels: { x: "1" } } } },
    asMerge,
  );
  await core.deleteNamespacedPod({ namespace, name: "b" });
  await until("four events", () => seen.events.length === 4);
  // A pod is marked first, even where it goes at once.
  assert.deepEqual(seen.lines, ["ADDED b", "MODIFIED a", "MODIFIED b", "DELETED b"]);
  const versions = seen.events.map(({ object }) => Number(object.metadata.resourceVersion));
  assert.deepEqual(
    versions,
    [...versions].sort((one, other) => one - other),
  );
  assert.equal(new Set(versions).size, 4);
  seen.stop();
});

test("a watch from a version that is yet to come begins after it", async (t) => {
  const { core, ...clients } = await startWithClient(t);
  const { metadata } = await core.listNamespacedPod({ namespace });
  const next = Number(metadata?.resourceVersion) + 1;
  const seen = await watching(clients, pods, { resourceVersion: next });
  await core.createNamespacedPod({ namespace, body: pod("a") });
  await core.createNamespacedPod({ namespace, body: pod("b") });
  await until("an event", () => seen.events.length > 0);
  assert.deepEqual(seen.lines, ["ADDED b"]);
  seen.stop();
});

test("a watch of all namespaces sees each of them, made later too", async (t) => {
  const { core, ...clients } = await startWithClient(t);
  const seen = await watching(clients, "/api/v1/pods");
  await core.createNamespacedPod({ namespace, body: pod("a") });
  await core.createNamespace({ body: { metadata: { name: "late" } } });
  await core.createNamespacedPod({ namespace: "late", body: pod("b") });
  await until("both", () => seen.events.length === 2);
  assert.deepEqual(seen.lines, ["ADDED a", "ADDED b"]);
  seen.stop();
});

test("an object that comes into a selector's sight is added, one that leaves it is deleted", async (t) => {
  const { core, ...clients } = await startWithClient(t);
  const seen = await watching(clients, pods, { labelSelector: "role=primary" });
  await core.createNamespacedPod({ namespace, body: labelled("a", "replica") });
  for (const role of ["primary", "primary2", "primary"]) {
    await core.patchNamespacedPod(
      { namespace, name: "a", body: { metadata: { labels: { role } } } },
      asMerge,
    );
  }
  await core.patchNamespacedPod(
    { namespace, name: "a", body: { metadata: { labels: { x: "1" } } } },
    asMerge,
  );
  const removed = { metadata: { labels: { role: null } } };
  await core.patchNamespacedPod({ namespace, name: "a", body: removed }, asMerge);
  await core.deleteNamespacedPod({ namespace, name: "a" });
  await core.createNamespacedPod({ namespace, body: labelled("b", "primary") });
  await until("the last event", () => seen.lines.at(-1) === "ADDED b");
  assert.deepEqual(seen.lines, ["ADDED a", "DELETED a", "ADDED a", "MODIFIED a", "DELETED a", "ADDED b"]);
  const left = seen.events[1]?.object.metadata as JsonObject;
  assert.deepEqual(left.labels, { role: "primary" }, "shown as it was last seen");
  assert.ok(Number(left.resourceVersion) > Number(seen.events[0]?.object.metadata.resourceVersion));
  seen.stop();
});

test("a watch of one name sees only that", async (t) => {
  const { core, ...clients } = await startWithClient(t);
  const configMaps = "/api/v1/namespaces/default/configmaps";
  const seen = await watching(clients, configMaps, { fieldSelector: "metadata.name=b" });
  for (const name of ["a", "b", "c"]) {
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name } } });
  }
  await core.deleteNamespacedConfigMap({ namespace, name: "b" });
  await until("two events", () => seen.events.length === 2);
  assert.deepEqual(seen.lines, ["ADDED b", "DELETED b"]);
  seen.stop();
});

test("a version from before the window is told 410 in the stream, which ends", async (t) => {
  const { core, ...clients } = await startWithClient(t, { eventWindow: 3 });
  const { metadata } = await core.listNamespacedPod({ namespace });
  const since = { resourceVersion: metadata?.resourceVersion ?? "" };
  for (const name of ["a", "b", "c"]) await core.createNamespacedPod({ namespace, body: pod(name) });
  const inTime = await watching(clients, pods, since);
  await until("all three", () => inTime.events.length === 3);
  inTime.stop();
  await core.createNamespacedPod({ namespace, body: pod("d") });
  const late = await watching(clients, pods, since);
  await until("the end", () => late.state.ended);
  const { type, object } = late.events[0] ?? {};
  assert.deepEqual([late.events.length, type, object?.code, object?.reason], [1, "ERROR", 410, "Expired"]);
});

test("bookmarks come to those who ask for them, with the version of now", async (t) => {
  const { core, ...clients } = await startWithClient(t, { bookmarkEvery: 20 });
  await core.createNamespacedPod({ namespace, body: pod("a") });
  const { metadata } = await core.listNamespacedPod({ namespace });
  const query = { resourceVersion: metadata?.resourceVersion ?? "" };
  const without = await watching(clients, pods, query);
  const seen = await watching(clients, pods, { ...query, allowWatchBookmarks: true });
  const other = await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "c" } } });
  const isNew = () =>
    seen.events.some(({ object }) => object.metadata.resourceVersion === other.metadata?.resourceVersion);
  await until("a bookmark of the newest version", isNew);
  assert.ok(seen.events.every(({ type, object }) => type === "BOOKMARK" && object.kind === "Pod"));
  assert.equal(without.events.length, 0);
  without.stop();
  seen.stop();

  const initial = await watching(clients, pods, { sendInitialEvents: true, allowWatchBookmarks: true });
  await until("the end of the state", () => initial.events.length >= 2);
  const [added, end] = initial.events;
  assert.equal(added?.type, "ADDED");
  assert.deepEqual(end?.object.metadata.annotations, { "k8s.io/initial-events-end": "true" });
  initial.stop();
});

test("timeoutSeconds ends a watch without an error, closing the server ends all", async (t) => {
  const { api, ...clients } = await startWithClient(t);
  const short = await watching(clients, pods, { timeoutSeconds: 1 });
  const long = await watching(clients, pods);
  assert.equal(api.openWatches, 2);
  await until("the end of its time", () => short.state.ended);
  assert.equal(short.state.error, null);
  await until("one watch less", () => api.openWatches === 1);
  await api.close();
  await until("the end of the server", () => long.state.ended);
});

test("an informer of the real client keeps up", async (t) => {
  const { api, core, config } = await startWithClient(t);
  await core.createNamespacedPod({ namespace, body: pod("a") });
  const informer = makeInformer(config, pods, () => core.listNamespacedPod({ namespace }));
  t.after(() => informer.stop());
  const seen: string[] = [];
  for (const verb of ["add", "update", "delete"] as const) {
    informer.on(verb, (object) => seen.push(`${verb} ${object.metadata?.name}`));
  }
  await informer.start();
  await until("the watch", () => api.openWatches === 1);
  await core.createNamespacedPod({ namespace, body: pod("b") });
  await core.patchNamespacedPod(
    { namespace, name: "a", body: { metadata: { labels: { x: "1" } } } },
    asMerge,
  );
  await core.deleteNamespacedPod({ namespace, name: "b" });
  await until("all of it", () => seen.length === 5);
  assert.deepEqual(seen, ["add a", "add b", "update a", "update b", "delete b"]);
});

test("a custom resource is served as long as its definition is there", async (t) => {
  const { api, objects } = await startWithClient(t);
  const path = "/apis/security.istio.io/v1/namespaces/default/peerauthentications";
  assert.equal((await raw(api, "GET", path)).code, 404);
  assert.equal((await raw(api, "GET", "/apis/security.istio.io/v1")).code, 404);
  await objects.create(PEER_AUTHENTICATIONS as never);
  const definition = api.get(
    "customresourcedefinitions.apiextensions.k8s.io",
    "",
    PEER_AUTHENTICATIONS.metadata.name ?? "",
  );
  assert.match(JSON.stringify(definition?.status), /"type":"Established","status":"True"/);

  const policy = {
    apiVersion: "security.istio.io/v1",
    kind: "PeerAuthentication",
    metadata: { name: "pg", namespace },
    spec: { portLevelMtls: { 5432: { mode: "DISABLE" } } },
  };
  await objects.create(policy);
  const read = await objects.read({ ...policy, spec: undefined } as never);
  assert.deepEqual((read as unknown as typeof policy).spec, policy.spec);
  const { body } = await raw(api, "GET", path);
  assert.equal((body.items as JsonObject[])[0]?.kind, "PeerAuthentication", "items of custom kinds carry it");
  const replaced = await raw(api, "PUT", `${path}/pg`, { ...policy, spec: {} });
  assert.equal(replaced.code, 422, "never without a version");

  await objects.delete(PEER_AUTHENTICATIONS as never);
  assert.equal((await raw(api, "GET", path)).code, 404);
  assert.equal(api.get("peerauthentications.security.istio.io", namespace, "pg"), undefined);
});

test("discovery names what is served", async (t) => {
  const { api } = await startWithClient(t);
  const body = async (path: string) => (await raw(api, "GET", path)).body;
  assert.deepEqual((await body("/api")).versions, ["v1"]);
  const groups = ((await body("/apis")).groups as JsonObject[]).map(({ name }) => name);
  for (const group of ["apps", "discovery.k8s.io", "coordination.k8s.io"])
    assert.ok(groups.includes(group), group);
  const resources = ((await body("/apis/apps/v1")).resources as JsonObject[]).map(({ name }) => name);
  assert.deepEqual(resources, ["statefulsets", "statefulsets/status", "deployments", "deployments/status"]);
  assert.equal((await body("/version")).major, "1");
  assert.equal((await raw(api, "GET", "/apis/none.example/v1")).code, 404);
});

test("changes are told in process, with the states before and after", async (t) => {
  const { api, core } = await startWithClient(t);
  const seen: string[] = [];
  const start = performance.timeOrigin + performance.now();
  t.after(
    api.onChange(({ type, resource, name, object, previous, at }) => {
      assert.ok(at >= start);
      seen.push(`${type} ${resource} ${name} ${previous === undefined ? "-" : "+"} ${object.object.kind}`);
    }),
  );
  const name = "c";
  await core.createNamespacedConfigMap({ namespace, body: { metadata: { name } } });
  await core.patchNamespacedConfigMap({ namespace, name, body: { data: { x: "1" } } }, asMerge);
  await core.deleteNamespacedConfigMap({ namespace, name });
  assert.deepEqual(seen, [
    "ADDED configmaps c - ConfigMap",
    "MODIFIED configmaps c + ConfigMap",
    "DELETED configmaps c + ConfigMap",
  ]);
});

const [PODS, WATCHES] = onlyThorough ? [600, 20] : [3000, 50];

test(`${PODS} pods and ${WATCHES} watches: every change reaches every watch`, async (t) => {
  const { api, core, watch } = await startWithClient(t);
  const names = Array.from({ length: PODS }, (_, index) => `p-${index}`);
  const answers = await Promise.all(names.map((name) => raw(api, "POST", pods, pod(name))));
  assert.ok(answers.every(({ code }) => code === 201));
  const { metadata, items } = await core.listNamespacedPod({ namespace });
  assert.equal(items.length, names.length);

  const since = { resourceVersion: metadata?.resourceVersion ?? "" };
  const all = await Promise.all(Array.from({ length: WATCHES }, () => watching({ watch }, pods, since)));
  const changed = names.slice(0, 50);
  for (const name of changed) {
    const body = { metadata: { labels: { x: "1" } } };
    await raw(api, "PATCH", `${pods}/${name}`, body, "application/merge-patch+json");
  }
  await until("every change at every watch", () =>
    all.every(({ events }) => events.length === changed.length),
  );
  for (const seen of all) {
    assert.deepEqual(
      seen.lines,
      changed.map((name) => `MODIFIED ${name}`),
    );
    seen.stop();
  }
});
