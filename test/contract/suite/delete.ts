import assert from "node:assert/strict";
import { at, objectsIn } from "../../../src/json/value.ts";
import { type Cases, PATCH } from "./context.ts";
import { configMap, pathOf, pod, uidOf, versionOf } from "./objects.ts";
import { assertRefused } from "./refused.ts";

export const DELETE: Cases = {
  "the answer is a Status": async (context) => {
    const { must } = context;
    const created = await must(201, "POST", pathOf(context, "configmaps"), configMap("a"));
    assert.deepEqual(await must(200, "DELETE", pathOf(context, "configmaps", "a")), {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: { name: "a", kind: "configmaps", uid: uidOf(created) },
    });
  },

  "the answer to a pod's is the pod": async (context) => {
    const { must, request } = context;
    const created = await must(201, "POST", pathOf(context, "pods"), pod("a"));
    const deleted = await must(200, "DELETE", pathOf(context, "pods", "a"));
    assert.deepEqual([deleted.kind, uidOf(deleted)], ["Pod", uidOf(created)]);
    assert.equal((await request("GET", pathOf(context, "pods", "a"))).status, 404);
  },

  "what is not there": async (context) => {
    assertRefused(await context.request("DELETE", pathOf(context, "configmaps", "a")), {
      code: 404,
      reason: "NotFound",
      message: 'configmaps "a" not found',
      details: { name: "a", kind: "configmaps" },
    });
  },

  "a dry-run deletes nothing": async (context) => {
    const { must } = context;
    await must(201, "POST", pathOf(context, "configmaps"), configMap("a"));
    await must(200, "DELETE", `${pathOf(context, "configmaps", "a")}?dryRun=All`);
    await must(200, "DELETE", pathOf(context, "configmaps", "a"), { dryRun: ["All"] });
    await must(200, "GET", pathOf(context, "configmaps", "a"));
  },

  "another uid than is asked for": async (context) => {
    const { must, request } = context;
    const created = await must(201, "POST", pathOf(context, "configmaps"), configMap("a"));
    const path = pathOf(context, "configmaps", "a");
    const uid = "11111111-2222-3333-4444-555555555555";
    assertRefused(await request("DELETE", path, { preconditions: { uid } }), {
      code: 409,
      reason: "Conflict",
      message: `Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (${uid}) does not match the UID in record (${uidOf(created)}). The object might have been deleted and then recreated`,
      details: { name: "a", kind: "ConfigMap" },
    });
    await must(200, "DELETE", path, { preconditions: { uid: uidOf(created) } });
  },

  "another resourceVersion than is asked for": async (context) => {
    const { must, request } = context;
    const created = await must(201, "POST", pathOf(context, "configmaps"), configMap("a"));
    const path = pathOf(context, "configmaps", "a");
    assertRefused(await request("DELETE", path, { preconditions: { resourceVersion: "1" } }), {
      code: 409,
      reason: "Conflict",
      message: `Operation cannot be fulfilled on ConfigMap "a": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (${versionOf(created)}). The object might have been modified`,
      details: { name: "a", kind: "ConfigMap" },
    });
    await must(200, "DELETE", path, { preconditions: { resourceVersion: versionOf(created) } });
  },

  "a finalizer keeps it until it is taken off": async (context) => {
    const { must, request } = context;
    const held = configMap("a", {}, { finalizers: ["example.test/hold"] });
    await must(201, "POST", pathOf(context, "configmaps"), held);
    const path = pathOf(context, "configmaps", "a");
    await must(200, "DELETE", path);
    const waiting = await must(200, "GET", path);
    assert.match(String(at(waiting, "metadata", "deletionTimestamp")), /Z$/);
    await must(200, "PATCH", path, { metadata: { finalizers: null } }, PATCH.merge);
    assert.equal((await request("GET", path)).status, 404);
  },

  "a pod on a node goes when it is deleted without grace": async (context) => {
    const { must, request } = context;
    await must(201, "POST", pathOf(context, "pods"), pod("a", {}, { nodeName: "node-1" }));
    const path = pathOf(context, "pods", "a");
    await must(200, "DELETE", path);
    assert.equal(at(await must(200, "GET", path), "metadata", "deletionGracePeriodSeconds"), 30);
    await must(200, "DELETE", path, { gracePeriodSeconds: 0 });
    assert.equal((await request("GET", path)).status, 404);
  },

  "a selected part of a collection": async (context) => {
    const { must } = context;
    const path = pathOf(context, "configmaps");
    for (const [name, team] of [
      ["a", "data"],
      ["b", "web"],
      ["c", "data"],
    ] as const) {
      await must(201, "POST", path, configMap(name, {}, { labels: { team } }));
    }
    await must(200, "DELETE", `${path}?labelSelector=team%3Ddata`);
    const rest = objectsIn((await must(200, "GET", path)).items).map(({ metadata }) => at(metadata, "name"));
    assert.deepEqual(rest, ["b"]);
  },
};
