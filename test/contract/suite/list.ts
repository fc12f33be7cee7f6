import assert from "node:assert/strict";
import { at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import type { Cases, Context } from "./context.ts";
import { configMap, pathOf, pod } from "./objects.ts";
import { assertRefused } from "./refused.ts";

const namesIn = (list: JsonObject) => objectsIn(list.items).map(({ metadata }) => at(metadata, "name"));

const query = (parameters: Record<string, string>) => `?${new URLSearchParams(parameters)}`;

/** ConfigMaps a to e; a, c and e are of the team data, the others of web; e has one more label. */
async function five(context: Context): Promise<string> {
  const path = pathOf(context, "configmaps");
  for (const [index, name] of ["a", "b", "c", "d", "e"].entries()) {
    const labels = { team: index % 2 === 0 ? "data" : "web", ...(name === "e" ? { tier: "1" } : {}) };
    await context.must(201, "POST", path, configMap(name, { n: String(index) }, { labels }));
  }
  return path;
}

export const LIST: Cases = {
  "items come without kind and apiVersion, in the order of their names": async (context) => {
    const path = pathOf(context, "configmaps");
    for (const name of ["b", "a"]) await context.must(201, "POST", path, configMap(name));
    const list = await context.must(200, "GET", path);
    assert.deepEqual([list.kind, list.apiVersion], ["ConfigMapList", "v1"]);
    assert.match(String(at(list, "metadata", "resourceVersion")), /^\d+$/);
    assert.deepEqual(namesIn(list), ["a", "b"]);
    for (const item of objectsIn(list.items))
      assert.deepEqual([item.kind, item.apiVersion], [undefined, undefined]);
  },

  "nothing is an empty list": async (context) => {
    assert.deepEqual((await context.must(200, "GET", pathOf(context, "leases"))).items, []);
    assert.deepEqual((await context.must(200, "GET", "/api/v1/namespaces/nowhere/pods")).items, []);
  },

  "label selectors": async (context) => {
    const path = await five(context);
    const rows: readonly [selector: string, names: string[]][] = [
      ["team=data", ["a", "c", "e"]],
      ["team==web", ["b", "d"]],
      ["team!=web", ["a", "c", "e"]],
      ["tier!=1", ["a", "b", "c", "d"]],
      ["team in (web, data),tier", ["e"]],
      ["team notin (data)", ["b", "d"]],
      ["!tier,team=data", ["a", "c"]],
      ["tier>0", ["e"]],
      ["", ["a", "b", "c", "d", "e"]],
    ];
    for (const [labelSelector, names] of rows) {
      assert.deepEqual(
        namesIn(await context.must(200, "GET", path + query({ labelSelector }))),
        names,
        labelSelector,
      );
    }
    const { status } = await context.request("GET", path + query({ labelSelector: "team=(data" }));
    assert.equal(status, 400);
  },

  "field selectors": async (context) => {
    const { must, request } = context;
    const path = pathOf(context, "pods");
    await must(201, "POST", path, pod("a", {}, { nodeName: "node-1" }));
    await must(201, "POST", path, pod("b"));
    const rows: readonly [selector: string, names: string[]][] = [
      ["metadata.name=a", ["a"]],
      ["metadata.name!=a", ["b"]],
      [`metadata.namespace=${context.namespace},spec.nodeName=node-1`, ["a"]],
      ["spec.nodeName=", ["b"]],
      ["status.phase=Pending", ["a", "b"]],
    ];
    for (const [fieldSelector, names] of rows) {
      assert.deepEqual(
        namesIn(await must(200, "GET", path + query({ fieldSelector }))),
        names,
        fieldSelector,
      );
    }
    assertRefused(await request("GET", path + query({ fieldSelector: "spec.hostname=a" })), {
      code: 400,
      reason: "BadRequest",
      message: "field label not supported: spec.hostname",
    });
    assertRefused(await request("GET", pathOf(context, "leases") + query({ fieldSelector: "spec.a=b" })), {
      code: 400,
      reason: "BadRequest",
      message: '"spec.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
    });
  },

  "pages show the state of the first": async (context) => {
    const path = await five(context);
    const first = await context.must(200, "GET", path + query({ limit: "2" }));
    assert.deepEqual(namesIn(first), ["a", "b"]);
    assert.equal(at(first, "metadata", "remainingItemCount"), 3);
    await context.must(201, "POST", path, configMap("cc"));
    await context.must(200, "DELETE", `${path}/d`);
    const token = String(at(first, "metadata", "continue"));
    const second = await context.must(200, "GET", path + query({ limit: "2", continue: token }));
    assert.deepEqual(namesIn(second), ["c", "d"]);
    assert.equal(at(second, "metadata", "resourceVersion"), at(first, "metadata", "resourceVersion"));
    const rest = String(at(second, "metadata", "continue"));
    const last = await context.must(200, "GET", path + query({ limit: "2", continue: rest }));
    assert.deepEqual(namesIn(last), ["e"]);
    assert.equal(at(last, "metadata", "continue"), undefined);
    assert.equal(at(last, "metadata", "remainingItemCount"), undefined);
  },

  "pages of a selection do not count what remains": async (context) => {
    const path = await five(context);
    const first = await context.must(200, "GET", path + query({ limit: "2", labelSelector: "team=data" }));
    assert.deepEqual(namesIn(first), ["a", "c"]);
    assert.equal(at(first, "metadata", "remainingItemCount"), undefined);
    assert.ok(at(first, "metadata", "continue"));
  },

  "a token that is none": async (context) => {
    const { status, body } = await context.request("GET", pathOf(context, "pods") + query({ continue: "x" }));
    assert.deepEqual([status, at(body, "reason")], [400, "BadRequest"]);
  },
};
