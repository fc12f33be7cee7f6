import assert from "node:assert/strict";
import test from "node:test";
import { Watch } from "@kubernetes/client-node";
import { clientsOf, startWithClient, watching } from "./clients.ts";
import { pod, raw, until } from "./support.ts";

const namespace = "default";
const pods = "/api/v1/namespaces/default/pods";
const body = { metadata: { name: "c" }, data: { n: "1" } };

test("faults strike what they match, as often as they are told, until they are removed", async (t) => {
  const { api, core } = await startWithClient(t);
  const mine = clientsOf(api, "me");
  const match = { verb: "get", resource: "configmaps", namespace, name: "c", user: "me" };
  const fault = api.faults.add({ kind: "status", status: 500, match });
  await core.createNamespacedConfigMap({ namespace, body });
  await core.readNamespacedConfigMap({ namespace, name: "c" });
  await mine.core.listNamespacedConfigMap({ namespace });
  await assert.rejects(mine.core.readNamespacedConfigMap({ namespace, name: "c" }), { code: 500 });
  assert.equal(fault.hits, 1);
  fault.remove();
  await mine.core.readNamespacedConfigMap({ namespace, name: "c" });

  const twice = api.faults.add({ kind: "status", status: 409, times: 2 });
  for (const code of [409, 409, 200]) assert.equal((await raw(api, "GET", pods)).code, code);
  assert.equal(twice.hits, 2);
});

test("status: the Status of the code, and Retry-After", async (t) => {
  const { api } = await startWithClient(t);
  const rows: readonly [status: number, reason: string][] = [
    [409, "Conflict"],
    [410, "Expired"],
    [429, "TooManyRequests"],
    [500, "InternalError"],
    [503, "ServiceUnavailable"],
    [504, "Timeout"],
  ];
  for (const [status, reason] of rows) {
    api.faults.add({ kind: "status", status, retryAfter: 3, times: 1 });
    const answer = await raw(api, "PUT", `${pods}/a`, pod("a"));
    assert.deepEqual([answer.code, answer.body.code, answer.body.reason], [status, status, reason]);
    assert.equal(answer.headers.get("retry-after"), "3");
    assert.deepEqual(answer.body.details, { retryAfterSeconds: 3 });
  }
  api.faults.add({ kind: "status", status: 429, times: 1 });
  assert.equal((await raw(api, "GET", pods)).headers.get("retry-after"), null);
});

test("latency: the request waits, then all goes on, further faults too", async (t) => {
  const { api } = await startWithClient(t);
  api.faults.add({ kind: "latency", ms: 60 });
  const start = performance.now();
  assert.equal((await raw(api, "GET", pods)).code, 200);
  assert.ok(performance.now() - start >= 59);
  api.faults.add({ kind: "status", status: 500 });
  assert.equal((await raw(api, "GET", pods)).code, 500);
});

test("drop: nothing has happened. drop-after-write: it has, and nobody was told", async (t) => {
  const { api, core } = await startWithClient(t);
  const before = api.faults.add({ kind: "drop", match: { verb: "create" } });
  await assert.rejects(core.createNamespacedConfigMap({ namespace, body }));
  assert.equal(api.get("configmaps", namespace, "c"), undefined);
  before.remove();
  api.faults.add({ kind: "drop-after-write", times: 1 });
  await assert.rejects(core.createNamespacedConfigMap({ namespace, body }));
  assert.equal(api.get("configmaps", namespace, "c")?.metadata.name, "c");
  assert.deepEqual(
    api.audit.entries.map(({ code }) => code),
    [0, 0],
  );
});

test("a server that is out of reach answers nothing at all, health and discovery included", async (t) => {
  const { api } = await startWithClient(t);
  const fault = api.faults.add({ kind: "drop" });
  for (const path of [pods, "/readyz", "/version", "/apis"])
    await assert.rejects(raw(api, "GET", path), path);
  assert.equal(fault.hits, 4);
  fault.remove();
  const sick = api.faults.add({ kind: "status", status: 503, match: { resource: "/readyz" } });
  assert.equal((await raw(api, "GET", "/readyz")).code, 503);
  assert.equal((await raw(api, "GET", "/livez")).code, 200);
  assert.equal(sick.hits, 1);
});

test("hang: no answer until the client gives up", async (t) => {
  const { api, config } = await startWithClient(t);
  api.faults.add({ kind: "hang" });
  const watch = new Watch(config);
  Object.assign(watch, { requestTimeoutMs: 50 });
  const seen = await watching({ watch }, pods);
  await until("the client's time-out", () => seen.state.ended);
  assert.equal((seen.state.error as Error).name, "TimeoutError");
  assert.equal(api.openWatches, 0);
});

test("watch-silent: a stream, running or new, is open and says nothing any more", async (t) => {
  const { api, core, ...clients } = await startWithClient(t, { bookmarkEvery: 10 });
  const silenced = await watching(clients, pods, { allowWatchBookmarks: true });
  const other = await watching(clients, "/api/v1/namespaces/kube-system/pods");
  const last = await core.createNamespacedPod({ namespace, body: pod("a") });
  await until("the first event", () => silenced.lines.includes("ADDED a"));

  const fault = api.faults.add({ kind: "watch-silent", match: { namespace } });
  const late = await watching(clients, pods);
  await core.createNamespacedPod({ namespace, body: pod("b") });
  await core.createNamespacedPod({ namespace: "kube-system", body: pod("c") });
  await until("what the other watch sees", () => other.lines.includes("ADDED c"));
  fault.remove();
  await core.createNamespacedPod({ namespace, body: pod("d") });
  await core.createNamespacedPod({ namespace: "kube-system", body: pod("e") });
  await until("what the other watch sees", () => other.lines.includes("ADDED e"));
  // A bookmark may have been on its way already; what it says is no newer than the pod.
  const newest = Math.max(...silenced.events.map(({ object }) => Number(object.metadata.resourceVersion)));
  assert.equal(newest, Number(last.metadata?.resourceVersion), "a gap in a stream is never papered over");
  assert.deepEqual(late.events, []);
  assert.deepEqual([silenced.state.ended, late.state.ended, fault.hits], [false, false, 2]);
  const fresh = await watching(clients, pods);
  await until("the state", () => fresh.events.length === 3);
});

test("watch-gone: a stream, running or new, is told 410 and ends", async (t) => {
  const { api, ...clients } = await startWithClient(t);
  const running = await watching(clients, pods);
  const fault = api.faults.add({ kind: "watch-gone" });
  const late = await watching(clients, pods);
  for (const seen of [running, late]) {
    await until("the end", () => seen.state.ended);
    assert.deepEqual(
      seen.events.map(({ type, object }) => [type, object.code, object.reason]),
      [["ERROR", 410, "Expired"]],
    );
    assert.equal(seen.state.error, null);
  }
  fault.remove();
  assert.equal(fault.hits, 2);
});

test("drop reaches running watches, and only as many as it is told", async (t) => {
  const { api, ...clients } = await startWithClient(t);
  const all = [await watching(clients, pods), await watching(clients, pods)];
  api.faults.add({ kind: "drop", match: { verb: "watch" }, times: 1 });
  await until("one to be cut", () => all.some(({ state }) => state.ended));
  assert.equal(api.openWatches, 1);
  assert.deepEqual(
    all.map(({ state }) => state.ended),
    [true, false],
  );
});
