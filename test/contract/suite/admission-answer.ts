import assert from "node:assert/strict";
import { at, type JsonObject } from "../../../src/json/value.ts";
import type { Cases } from "./context.ts";
import { configMap, pathOf, pod } from "./objects.ts";
import { assertRefused } from "./refused.ts";
import { ALLOW, patching, type Reply, startWebhook } from "./webhook.ts";

const DENIED = 'admission webhook "hook.example.test" denied the request';

const denying = (status?: JsonObject): Reply => ({
  response: { allowed: false, ...(status === undefined ? {} : { status }) },
});

export const ADMISSION_ANSWER: Cases = {
  "a refusal, in its forms": async (context) => {
    let reply = ALLOW;
    const webhook = await startWebhook(context, () => reply);
    await webhook.register("hook");
    const rows: readonly [reply: Reply, code: number, reason: string | undefined, message: string][] = [
      [denying(), 400, undefined, `${DENIED} without explanation`],
      [denying({ message: "no" }), 400, undefined, `${DENIED}: no`],
      [denying({ code: 403, message: "no" }), 403, undefined, `${DENIED}: no`],
      [denying({ code: 400, reason: "BadRequest", message: "no" }), 400, "BadRequest", `${DENIED}: no`],
      [denying({ code: 422, reason: "Invalid" }), 422, "Invalid", `${DENIED}: Invalid`],
      [denying({ code: 200, message: "no" }), 400, undefined, `${DENIED}: no`],
    ];
    for (const [given, code, reason, message] of rows) {
      reply = given;
      const answer = await context.request("POST", pathOf(context, "pods"), pod("a"));
      assertRefused(answer, { code, message, ...(reason === undefined ? {} : { reason }) });
    }
    assert.equal((await context.request("GET", pathOf(context, "pods", "a"))).status, 404);
  },

  "a refusal leaves the next webhook uncalled": async (context) => {
    const webhook = await startWebhook(context, ({ configuration }) =>
      configuration === "a" ? denying() : ALLOW,
    );
    for (const name of ["a", "b"]) await webhook.register(name);
    await context.request("POST", pathOf(context, "pods"), pod("x"));
    assert.deepEqual(
      webhook.callsFor("x").map(({ configuration }) => configuration),
      ["a"],
    );
  },

  "warnings reach the client, refused or not": async (context) => {
    const warnings = ["first", 'with "quotes" and \\', "größer"];
    const webhook = await startWebhook(context, ({ review }) => ({
      response: { allowed: at(review.request.object, "metadata", "name") === "a", warnings },
    }));
    await webhook.register("hook");
    for (const [name, code] of [
      ["a", 201],
      ["b", 400],
    ] as const) {
      const { status, headers } = await context.request("POST", pathOf(context, "pods"), pod(name));
      assert.equal(status, code);
      const sent = Buffer.from(String(headers.warning), "latin1").toString();
      assert.equal(sent, '299 - "first", 299 - "with \\"quotes\\" and \\\\", 299 - "größer"');
    }
  },

  "audit annotations carry the webhook's name, and the patch": async (context) => {
    const { response } = patching({ op: "add", path: "/metadata/labels", value: { a: "b" } });
    const auditAnnotations = { decision: "inject", reason: "because" };
    const webhook = await startWebhook(context, () => ({ response: { ...response, auditAnnotations } }));
    await webhook.register("hook");
    await context.must(201, "POST", pathOf(context, "pods"), pod("a"));
    const audit = await context.server.auditOf(context.namespace, "a");
    assert.equal(audit["hook.example.test/decision"], "inject");
    assert.equal(audit["hook.example.test/reason"], "because");
    const { mutated } = JSON.parse(audit["mutation.webhook.admission.k8s.io/round_0_index_0"] ?? "{}");
    assert.equal(mutated, true);
  },

  "a patch that changes nothing is no change": async (context) => {
    const webhook = await startWebhook(context, () =>
      patching({ op: "replace", path: "/metadata/name", value: "a" }),
    );
    // No pod: a real server fills in some of its defaults only with the first patch.
    const rules = [{ apiGroups: [""], apiVersions: ["v1"], resources: ["*"], operations: ["CREATE"] }];
    await webhook.register("hook", { rules });
    await context.must(201, "POST", pathOf(context, "configmaps"), configMap("a"));
    const audit = await context.server.auditOf(context.namespace, "a");
    const { mutated } = JSON.parse(audit["mutation.webhook.admission.k8s.io/round_0_index_0"] ?? "{}");
    assert.equal(mutated, false);
  },

  "a patch that does not fit, whatever the failurePolicy": async (context) => {
    const webhook = await startWebhook(context, () => patching({ op: "remove", path: "/spec/nothing" }));
    for (const failurePolicy of ["Ignore", "Fail"]) {
      const name = failurePolicy.toLowerCase();
      await webhook.register(name, { failurePolicy });
      const { status, body } = await context.request("POST", pathOf(context, "pods"), pod("a"));
      assert.deepEqual([status, at(body, "reason")], [500, "InternalError"], failurePolicy);
      await context.must(200, "DELETE", webhook.configurationPath(name));
    }
  },

  "a webhook that may have side effects cannot be registered": async (context) => {
    const webhook = await startWebhook(context, () => ALLOW);
    const { status } = await webhook.offer("hook", { sideEffects: "Some" });
    assert.equal(status, context.differs("no validation", { real: 422, embedded: 201 }));
  },
};
