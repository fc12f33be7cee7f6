import assert from "node:assert/strict";
import { asObject, at, type JsonObject } from "../../../src/json/value.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import type { Cases, Context } from "./context.ts";
import { configMap, pathOf, pod } from "./objects.ts";
import { ALLOW, startWebhook, theCall } from "./webhook.ts";

const RULE = { apiGroups: [""], apiVersions: ["v1"] };

/** The `request` of a review, without what each case looks at by itself. */
function frameOf({ review }: { readonly review: JsonObject }): JsonObject {
  const { object: _, oldObject: __, userInfo: ___, uid, ...frame } = asObject(review.request) ?? {};
  assert.match(String(uid), /^[0-9a-f-]{36}$/);
  return frame;
}

const PODS = { group: "", version: "v1", resource: "pods" };
const POD = { group: "", version: "v1", kind: "Pod" };

const creation = (context: Context, fields: JsonObject): JsonObject => ({
  kind: POD,
  resource: PODS,
  requestKind: POD,
  requestResource: PODS,
  namespace: context.namespace,
  operation: "CREATE",
  dryRun: false,
  ...fields,
});

const createOptions = (fields: JsonObject) => ({
  kind: "CreateOptions",
  apiVersion: "meta.k8s.io/v1",
  ...fields,
});

/** How the API server knows the client of the suite, beside its name and groups. */
const furtherUserInfo = (context: Context, userInfo: unknown) => {
  const { username: _, groups: __, ...further } = asObject(userInfo) ?? {};
  const keys = Object.keys(further);
  assert.deepEqual(keys, context.differs("no credential id", { real: ["extra"], embedded: [] }));
};

export const ADMISSION_REQUEST: Cases = {
  "the review of a creation": async (context) => {
    const webhook = await startWebhook(context, () => ALLOW);
    await webhook.register("hook");
    await context.must(201, "POST", pathOf(context, "pods"), pod("a"));
    const call = theCall(webhook, "a");
    assert.equal(call.path, "/hook?timeout=5s");
    const { kind, apiVersion, request, ...nothing } = call.review;
    assert.deepEqual([kind, apiVersion, nothing], ["AdmissionReview", "admission.k8s.io/v1", {}]);
    assert.deepEqual(frameOf(call), creation(context, { name: "a", options: createOptions({}) }));
    const { username, groups } = request.userInfo as JsonObject;
    assert.deepEqual({ name: username, groups }, context.server.user);
    furtherUserInfo(context, request.userInfo);
    assert.equal(request.oldObject, null);
    assert.equal(at(request.object, "kind"), "Pod");
    assert.equal(at(request.object, "apiVersion"), "v1");
    assert.equal(at(request.object, "metadata", "name"), "a");
    assert.equal(at(request.object, "metadata", "namespace"), context.namespace);
  },

  "what the server adds to the object before it asks, and after": async (context) => {
    const webhook = await startWebhook(context, () => ALLOW);
    await webhook.register("hook");
    await context.must(201, "POST", pathOf(context, "pods"), pod("a"));
    const { object } = theCall(webhook, "a").review.request;
    assert.equal(
      at(object, "spec", "serviceAccountName"),
      context.differs("no defaults", { real: "default", embedded: undefined }),
    );
    const has = (field: string) => at(object, "metadata", field) !== undefined;
    assert.deepEqual(
      ["uid", "creationTimestamp", "resourceVersion", "managedFields"].map(has),
      context.differs("no field ownership", {
        real: [false, false, false, true],
        embedded: [false, false, false, false],
      }),
    );
  },

  "a name that is yet to be generated": async (context) => {
    const webhook = await startWebhook(context, () => ALLOW);
    await webhook.register("hook");
    await context.must(201, "POST", pathOf(context, "pods"), pod("", { generateName: "pg-" }));
    const call = theCall(webhook, "pg-");
    assert.deepEqual(frameOf(call), creation(context, { options: createOptions({}) }));
    assert.equal(at(call.review.request.object, "metadata", "name"), undefined);
  },

  "the query's options": async (context) => {
    const webhook = await startWebhook(context, () => ALLOW);
    await webhook.register("hook", { timeoutSeconds: 7 });
    const query = "?dryRun=All&fieldManager=me&fieldValidation=Ignore";
    await context.must(201, "POST", pathOf(context, "pods") + query, pod("a"));
    const call = theCall(webhook, "a");
    assert.equal(call.path, "/hook?timeout=7s");
    const options = createOptions({ dryRun: ["All"], fieldManager: "me", fieldValidation: "Ignore" });
    assert.deepEqual(frameOf(call), creation(context, { name: "a", dryRun: true, options }));
  },

  "updates, patches and deletions": async (context) => {
    const webhook = await startWebhook(context, () => ALLOW);
    const rules = [{ ...RULE, resources: ["pods", "configmaps"], operations: ["*"] }];
    await webhook.register("hook", { rules });
    const path = pathOf(context, "configmaps", "a");
    await context.must(201, "POST", pathOf(context, "configmaps"), configMap("a", { n: "1" }));
    await context.must(200, "PUT", path, configMap("a", { n: "2" }));
    const merge = "application/merge-patch+json";
    await context.must(200, "PATCH", `${path}?fieldManager=me`, { data: { n: "3" } }, merge);
    await context.must(200, "DELETE", path, { gracePeriodSeconds: 0 });
    const requests = webhook.callsFor("a").map(({ review }) => review.request);
    // A real server may ask about a state from its cache, and again about the newest.
    const seen = ["2", "3"].map((n) => {
      const request = requests.findLast(({ object }) => at(object, "data", "n") === n);
      return [request?.operation, at(request?.oldObject, "data", "n"), at(request?.options, "kind")];
    });
    assert.deepEqual(seen, [
      ["UPDATE", "1", "UpdateOptions"],
      ["UPDATE", "2", "UpdateOptions"],
    ]);
    const deletion = requests.at(-1);
    assert.deepEqual(
      [deletion?.operation, deletion?.name, deletion?.object, at(deletion?.oldObject, "data", "n")],
      ["DELETE", "a", null, "3"],
    );
    assert.deepEqual(deletion?.options, {
      kind: "DeleteOptions",
      apiVersion: "meta.k8s.io/v1",
      gracePeriodSeconds: 0,
    });
  },

  "a subresource is another thing than its pod": async (context) => {
    const webhook = await startWebhook(context, () => ALLOW);
    const rules = [{ ...RULE, resources: ["pods", "pods/status"], operations: ["CREATE", "UPDATE"] }];
    await webhook.register("hook", { rules });
    const created = await context.must(201, "POST", pathOf(context, "pods"), pod("a"));
    const status = { phase: "Running" };
    await context.must(200, "PUT", `${pathOf(context, "pods", "a")}/status`, { ...created, status });
    const [, call] = webhook.callsFor("a");
    const { subResource, requestSubResource, operation } = call?.review.request ?? {};
    assert.deepEqual([operation, subResource, requestSubResource], ["UPDATE", "status", "status"]);
  },

  "only what the selectors choose": async (context) => {
    const webhook = await startWebhook(context, () => ALLOW);
    const objectSelector = {
      matchExpressions: [{ key: "application", operator: "In", values: ["patroni"] }],
    };
    await webhook.register("every");
    await webhook.register("chosen", { objectSelector }, async () => {
      const probe = pod("chosen-probe", { labels: { application: "patroni" } });
      await context.request("POST", `${pathOf(context, "pods")}?dryRun=All`, probe);
      return webhook.callsFor("chosen-probe").some(({ configuration }) => configuration === "chosen");
    });
    const rows: readonly [name: string, labels: JsonObject, called: string[]][] = [
      ["a", { application: "patroni" }, ["chosen", "every"]],
      ["b", { application: "web" }, ["every"]],
      ["c", {}, ["every"]],
    ];
    for (const [name, labels, called] of rows) {
      await context.must(201, "POST", pathOf(context, "pods"), pod(name, { labels }));
      assert.deepEqual(
        webhook.callsFor(name).map(({ configuration }) => configuration),
        called,
        name,
      );
    }
    const other = `${context.namespace}-other`;
    await prepareNamespace(context.server, other);
    await context.must(201, "POST", `/api/v1/namespaces/${other}/pods`, pod("elsewhere"));
    assert.deepEqual(webhook.callsFor("elsewhere"), []);
  },
};
