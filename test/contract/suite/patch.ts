import assert from "node:assert/strict";
import { at } from "../../../src/json/value.ts";
import { type Cases, PATCH } from "./context.ts";
import { configMap, pathOf, versionOf } from "./objects.ts";
import { assertRefused } from "./refused.ts";

export const PATCHES: Cases = {
  "a JSON patch": async (context) => {
    const { must } = context;
    await must(201, "POST", pathOf(context, "configmaps"), configMap("a", { n: "1" }));
    const operations = [
      { op: "test", path: "/data/n", value: "1" },
      { op: "replace", path: "/data/n", value: "2" },
      { op: "add", path: "/metadata/annotations", value: { "example.test/a": "x" } },
      { op: "add", path: "/metadata/annotations/example.test~1c", value: "y" },
    ];
    const patched = await must(200, "PATCH", pathOf(context, "configmaps", "a"), operations, PATCH.json);
    assert.deepEqual(patched.data, { n: "2" });
    assert.deepEqual(at(patched, "metadata", "annotations"), {
      "example.test/a": "x",
      "example.test/c": "y",
    });
  },

  "a JSON patch that tests the version": async (context) => {
    const { must, request } = context;
    const first = await must(201, "POST", pathOf(context, "configmaps"), configMap("a", { n: "1" }));
    const path = pathOf(context, "configmaps", "a");
    const operations = [
      { op: "test", path: "/metadata/resourceVersion", value: versionOf(first) },
      { op: "replace", path: "/data/n", value: "2" },
    ];
    await must(200, "PATCH", path, operations, PATCH.json);
    const { status, body } = await request("PATCH", path, operations, { "content-type": PATCH.json });
    assert.deepEqual([status, at(body, "reason")], [422, "Invalid"]);
    assert.deepEqual((await must(200, "GET", path)).data, { n: "2" });
  },

  "a JSON patch that does not fit": async (context) => {
    const { must, request } = context;
    await must(201, "POST", pathOf(context, "configmaps"), configMap("a", { n: "1" }));
    const operations = [{ op: "remove", path: "/data/m" }];
    const type = { "content-type": PATCH.json };
    const { status, body } = await request("PATCH", pathOf(context, "configmaps", "a"), operations, type);
    assert.deepEqual([status, at(body, "reason")], [422, "Invalid"]);
  },

  "a merge patch": async (context) => {
    const { must } = context;
    await must(201, "POST", pathOf(context, "configmaps"), configMap("a", { n: "1", m: "1" }));
    const path = pathOf(context, "configmaps", "a");
    const patched = await must(200, "PATCH", path, { data: { n: null, k: "2" } }, PATCH.merge);
    assert.deepEqual(patched.data, { m: "1", k: "2" });
  },

  "a merge patch of a stale version": async (context) => {
    const { must, request } = context;
    await must(201, "POST", pathOf(context, "configmaps"), configMap("a", { n: "1" }));
    const path = pathOf(context, "configmaps", "a");
    const patch = { metadata: { resourceVersion: "1" }, data: { n: "2" } };
    assertRefused(await request("PATCH", path, patch, { "content-type": PATCH.merge }), {
      code: 409,
      reason: "Conflict",
      message:
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
      details: { name: "a", kind: "configmaps" },
    });
  },

  "a patch that changes nothing keeps the resourceVersion": async (context) => {
    const { must } = context;
    const first = await must(201, "POST", pathOf(context, "configmaps"), configMap("a", { n: "1" }));
    const path = pathOf(context, "configmaps", "a");
    const merged = await must(200, "PATCH", path, { data: { n: "1" } }, PATCH.merge);
    assert.equal(versionOf(merged), versionOf(first));
    const same = [{ op: "replace", path: "/data/n", value: "1" }];
    assert.equal(versionOf(await must(200, "PATCH", path, same, PATCH.json)), versionOf(first));
  },

  "a patch of what is not there": async (context) => {
    const path = pathOf(context, "configmaps", "a");
    const answer = await context.request("PATCH", path, { data: {} }, { "content-type": PATCH.merge });
    assertRefused(answer, {
      code: 404,
      reason: "NotFound",
      message: 'configmaps "a" not found',
      details: { name: "a", kind: "configmaps" },
    });
  },

  "a dry-run of a patch": async (context) => {
    const { must } = context;
    await must(201, "POST", pathOf(context, "configmaps"), configMap("a", { n: "1" }));
    const path = pathOf(context, "configmaps", "a");
    const answered = await must(200, "PATCH", `${path}?dryRun=All`, { data: { n: "2" } }, PATCH.merge);
    assert.deepEqual(answered.data, { n: "2" });
    assert.deepEqual((await must(200, "GET", path)).data, { n: "1" });
  },

  "a patch of a type that is none": async (context) => {
    const { status, body } = await context.request("PATCH", pathOf(context, "configmaps", "a"), { data: {} });
    assert.deepEqual([status, at(body, "reason")], [415, "UnsupportedMediaType"]);
  },

  "server-side apply creates": async (context) => {
    const { must } = context;
    const path = pathOf(context, "configmaps", "a");
    const applied = await must(
      201,
      "PATCH",
      `${path}?fieldManager=test`,
      configMap("a", { n: "1" }),
      PATCH.apply,
    );
    assert.deepEqual(applied.data, { n: "1" });
    assert.equal(at(applied, "metadata", "namespace"), context.namespace);
    const again = await must(
      200,
      "PATCH",
      `${path}?fieldManager=test`,
      configMap("a", { n: "1" }),
      PATCH.apply,
    );
    assert.equal(versionOf(again), versionOf(applied));
  },

  "server-side apply takes away what is no longer named": async (context) => {
    const { must } = context;
    const path = `${pathOf(context, "configmaps", "a")}?fieldManager=test`;
    await must(201, "PATCH", path, configMap("a", { n: "1", m: "1" }), PATCH.apply);
    const { data } = await must(200, "PATCH", path, configMap("a", { n: "2" }), PATCH.apply);
    const expected = context.differs("no field ownership", {
      real: { n: "2" },
      embedded: { n: "2", m: "1" },
    });
    assert.deepEqual(data, expected);
  },

  "server-side apply of what another has": async (context) => {
    const { must, request } = context;
    const path = pathOf(context, "configmaps", "a");
    await must(201, "PATCH", `${path}?fieldManager=one`, configMap("a", { n: "1" }), PATCH.apply);
    const type = { "content-type": PATCH.apply };
    const taken = await request("PATCH", `${path}?fieldManager=two`, configMap("a", { n: "2" }), type);
    assert.equal(taken.status, context.differs("no field ownership", { real: 409, embedded: 200 }));
    await must(200, "PATCH", `${path}?fieldManager=two&force=true`, configMap("a", { n: "2" }), PATCH.apply);
  },

  "server-side apply by nobody": async (context) => {
    const path = pathOf(context, "configmaps", "a");
    const type = { "content-type": PATCH.apply };
    assertRefused(await context.request("PATCH", path, configMap("a"), type), {
      code: 422,
      reason: "Invalid",
      message:
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      details: {
        group: "meta.k8s.io",
        kind: "PatchOptions",
        causes: [
          {
            reason: "FieldValueRequired",
            message: "Required value: is required for apply patch",
            field: "fieldManager",
          },
        ],
      },
    });
  },
};
