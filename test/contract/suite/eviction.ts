import assert from "node:assert/strict";
import { at, type JsonObject } from "../../../src/json/value.ts";
import { type Cases, type Context, PATCH } from "./context.ts";
import { pathOf, pod, uidOf, versionOf } from "./objects.ts";
import { assertRefused } from "./refused.ts";

const evictionOf = (name: string, deleteOptions: JsonObject = {}): JsonObject => ({
  apiVersion: "policy/v1",
  kind: "Eviction",
  metadata: { name },
  deleteOptions,
});

const pathTo = (context: Context, name: string): string => `${pathOf(context, "pods", name)}/eviction`;

export const EVICTION: Cases = {
  "a pod is gone, and the answer is a Status": async (context) => {
    const { must, request } = context;
    const created = await must(201, "POST", pathOf(context, "pods"), pod("a"));
    const preconditions = { uid: uidOf(created), resourceVersion: versionOf(created) };
    const answer = await must(201, "POST", pathTo(context, "a"), evictionOf("a", { preconditions }));
    assert.deepEqual([answer.kind, answer.status], ["Status", "Success"]);
    assert.equal((await request("GET", pathOf(context, "pods", "a"))).status, 404);
  },

  "one on a node is being deleted": async (context) => {
    const { must } = context;
    await must(201, "POST", pathOf(context, "pods"), pod("a", {}, { nodeName: "node-1" }));
    await must(201, "POST", pathTo(context, "a"), evictionOf("a"));
    const going = await must(200, "GET", pathOf(context, "pods", "a"));
    assert.match(String(at(going, "metadata", "deletionTimestamp")), /Z$/);
  },

  "another pod of the same name": async (context) => {
    const { must, request } = context;
    await must(201, "POST", pathOf(context, "pods"), pod("a"));
    const preconditions = { uid: "11111111-2222-3333-4444-555555555555" };
    const refused = await request("POST", pathTo(context, "a"), evictionOf("a", { preconditions }));
    assert.deepEqual([refused.status, at(refused.body, "reason")], [409, "Conflict"]);
    await must(200, "GET", pathOf(context, "pods", "a"));
  },

  "a pod that was changed since it was read": async (context) => {
    const { must, request } = context;
    const created = await must(201, "POST", pathOf(context, "pods"), pod("a"));
    const path = pathOf(context, "pods", "a");
    await must(200, "PATCH", path, { metadata: { labels: { changed: "yes" } } }, PATCH.merge);
    const preconditions = { uid: uidOf(created), resourceVersion: versionOf(created) };
    const refused = await request("POST", pathTo(context, "a"), evictionOf("a", { preconditions }));
    assert.deepEqual([refused.status, at(refused.body, "reason")], [409, "Conflict"]);
    await must(200, "GET", path);
  },

  "what is not there": async (context) => {
    assertRefused(await context.request("POST", pathTo(context, "a"), evictionOf("a")), {
      code: 404,
      reason: "NotFound",
      message: 'pods "a" not found',
      details: { name: "a", kind: "pods" },
    });
  },

  "of another name than the path": async (context) => {
    const { must, request } = context;
    await must(201, "POST", pathOf(context, "pods"), pod("a"));
    const refused = await request("POST", pathTo(context, "a"), evictionOf("b"));
    assert.deepEqual([refused.status, at(refused.body, "reason")], [400, "BadRequest"]);
  },
};
