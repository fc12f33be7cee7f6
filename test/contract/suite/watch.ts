import assert from "node:assert/strict";
import { at, type JsonObject } from "../../../src/json/value.ts";
import type { Cases, Context } from "./context.ts";
import { eventually } from "./eventually.ts";
import { configMap, pathOf, versionOf } from "./objects.ts";
import { watch } from "./watching.ts";

const listed = async (context: Context, path: string) =>
  String(at(await context.must(200, "GET", path), "metadata", "resourceVersion"));

const create = (context: Context, name: string, metadata: JsonObject = {}) =>
  context.must(201, "POST", pathOf(context, "configmaps"), configMap(name, {}, metadata));

const put = (context: Context, name: string, n: string, metadata: JsonObject = {}) =>
  context.must(200, "PUT", pathOf(context, "configmaps", name), configMap(name, { n }, metadata));

const remove = (context: Context, name: string) =>
  context.must(200, "DELETE", pathOf(context, "configmaps", name));

/** A resource of the case's own: no server remembers what was before it. @returns the path of the collection */
async function defineWidgets(context: Context): Promise<string> {
  const { must, request, namespace } = context;
  const group = `${namespace}.example.test`;
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  await must(201, "POST", definitions, {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
      scope: "Namespaced",
      versions: [{ name: "v1", served: true, storage: true, schema }],
    },
  });
  context.after(() => request("DELETE", `${definitions}/widgets.${group}`));
  const widgets = `/apis/${group}/v1/namespaces/${namespace}/widgets`;
  await eventually("the definition is served", async () => (await request("GET", widgets)).status === 200);
  return widgets;
}

export const WATCH: Cases = {
  "from the version of a list: every change since, in order, and no other": async (context) => {
    const path = pathOf(context, "configmaps");
    await create(context, "before");
    const resourceVersion = await listed(context, path);
    await create(context, "a");
    await put(context, "a", "1");
    const watching = await watch(context, path, { resourceVersion });
    await put(context, "before", "1");
    await remove(context, "a");
    assert.deepEqual(await watching.nextName(), ["ADDED", "a"]);
    const [type, changed] = await watching.next();
    assert.deepEqual([type, at(changed, "data")], ["MODIFIED", { n: "1" }]);
    assert.deepEqual([changed.kind, changed.apiVersion], ["ConfigMap", "v1"]);
    assert.deepEqual(await watching.nextName(), ["MODIFIED", "before"]);
    const [deleted, last] = await watching.next();
    assert.equal(deleted, "DELETED");
    assert.ok(Number(versionOf(last)) > Number(versionOf(changed)), "a deletion has a version of its own");
  },

  "of one name, from now: it begins with what is there": async (context) => {
    await create(context, "a");
    await create(context, "b");
    const fieldSelector = "metadata.name=a";
    const watching = await watch(context, pathOf(context, "configmaps"), { fieldSelector });
    assert.deepEqual(await watching.nextName(), ["ADDED", "a"]);
    await put(context, "b", "1");
    await put(context, "a", "1");
    assert.deepEqual(await watching.nextName(), ["MODIFIED", "a"]);
  },

  "of one name that is not there: it begins when it comes": async (context) => {
    const fieldSelector = "metadata.name=a";
    const watching = await watch(context, pathOf(context, "configmaps"), { fieldSelector });
    await create(context, "b");
    await create(context, "a");
    assert.deepEqual(await watching.nextName(), ["ADDED", "a"]);
  },

  "resourceVersion 0 begins with what is there": async (context) => {
    await create(context, "a");
    const watching = await watch(context, pathOf(context, "configmaps"), { resourceVersion: "0" });
    assert.deepEqual(await watching.nextName(), ["ADDED", "a"]);
  },

  "what comes into a selection is added, what leaves it is deleted": async (context) => {
    const path = pathOf(context, "configmaps");
    await create(context, "a", { labels: { team: "web" } });
    const resourceVersion = await listed(context, path);
    const watching = await watch(context, path, { resourceVersion, labelSelector: "team=data" });
    await put(context, "a", "1", { labels: { team: "data" } });
    await put(context, "a", "2", { labels: { team: "data" } });
    const left = await put(context, "a", "3", { labels: { team: "web" } });
    const [added] = await watching.next();
    const [modified] = await watching.next();
    const [deleted, last] = await watching.next();
    assert.deepEqual([added, modified, deleted], ["ADDED", "MODIFIED", "DELETED"]);
    assert.deepEqual(at(last, "data"), { n: "2" }, "as it was last seen");
    assert.equal(versionOf(last), versionOf(left));
  },

  "another namespace's changes are not seen": async (context) => {
    const path = pathOf(context, "configmaps");
    const watching = await watch(context, path, { resourceVersion: await listed(context, path) });
    const other = `/api/v1/namespaces/default/configmaps`;
    await context.must(201, "POST", other, configMap(context.namespace));
    await context.must(200, "DELETE", `${other}/${context.namespace}`);
    await create(context, "a");
    assert.deepEqual(await watching.nextName(), ["ADDED", "a"]);
  },

  "a version that is forgotten is told by one event, and the stream ends": async (context) => {
    const widgets = await defineWidgets(context);
    context.server.forget();
    const watching = await watch(context, widgets, { resourceVersion: "1" });
    const [type, { message, ...status }] = await watching.next();
    assert.equal(type, "ERROR");
    assert.deepEqual(status, {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      reason: "Expired",
      code: 410,
    });
    assert.match(String(message), /^too old resource version: 1 \(\d+\)$/);
    await watching.ended;
  },

  "a bookmark says how far the stream is, past changes that it does not select": async (context) => {
    const path = pathOf(context, "configmaps");
    const resourceVersion = await listed(context, path);
    // A real server sends one about two seconds before the stream's end, at the earliest.
    const query = { resourceVersion, allowWatchBookmarks: "true", timeoutSeconds: "4" };
    const watching = await watch(context, path, { ...query, fieldSelector: "metadata.name=none" });
    const unseen = await create(context, "a");
    for (let version = 0; version < Number(versionOf(unseen)); ) {
      const [type, bookmark] = await watching.next();
      assert.equal(type, "BOOKMARK");
      assert.deepEqual([bookmark.kind, bookmark.apiVersion], ["ConfigMap", "v1"]);
      assert.equal(at(bookmark, "metadata", "name"), undefined);
      version = Number(versionOf(bookmark));
    }
  },

  "without the wish for bookmarks there are none, and the stream ends after its time": async (context) => {
    const path = pathOf(context, "configmaps");
    const watching = await watch(context, path, {
      resourceVersion: await listed(context, path),
      timeoutSeconds: "1",
    });
    await assert.rejects(watching.next(), /the watch ended/);
  },
};
