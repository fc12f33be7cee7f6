import assert from "node:assert/strict";
import { at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import type { Cases } from "./context.ts";
import { pathOf, pod } from "./objects.ts";
import { ALLOW, type Call, patching, startWebhook, type Webhook } from "./webhook.ts";

const order = (webhook: Webhook, podName: string) =>
  webhook.callsFor(podName).map(({ configuration }) => configuration);

/** Adds a container of the configuration's own name, where there is none. */
function adding({ configuration, review }: Call) {
  const containers = objectsIn(at(review.request.object, "spec", "containers"));
  if (containers.some(({ name }) => name === configuration)) return ALLOW;
  const value = { name: configuration, image: "registry.example/added" };
  return patching({ op: "add", path: "/spec/containers/-", value });
}

const IF_NEEDED: JsonObject = { reinvocationPolicy: "IfNeeded" };

const containersOf = (body: JsonObject) => objectsIn(at(body, "spec", "containers")).map(({ name }) => name);

export const ADMISSION_ORDER: Cases = {
  "configurations are called in the order of their names' bytes": async (context) => {
    const webhook = await startWebhook(context, () => ALLOW);
    for (const name of ["istio-x", "a", "00-ours", "b.c", "b-c", "istio"]) await webhook.register(name);
    await context.must(201, "POST", pathOf(context, "pods"), pod("a"));
    assert.deepEqual(order(webhook, "a"), ["00-ours", "a", "b-c", "b.c", "istio", "istio-x"]);
  },

  "each sees what those before it did": async (context) => {
    const webhook = await startWebhook(context, adding);
    for (const name of ["first", "second"]) await webhook.register(name);
    const stored = await context.must(201, "POST", pathOf(context, "pods"), pod("a"));
    const seen = webhook.callsFor("a").map(({ review }) => containersOf(review.request.object as JsonObject));
    assert.deepEqual(seen, [["main"], ["main", "first"]]);
    assert.deepEqual(containersOf(stored), ["main", "first", "second"]);
  },

  "ours, Istio's, ours again": async (context) => {
    const webhook = await startWebhook(context, adding);
    await webhook.register("istio");
    await webhook.register("00-ours", IF_NEEDED);
    await context.must(201, "POST", pathOf(context, "pods"), pod("a"));
    assert.deepEqual(order(webhook, "a"), ["00-ours", "istio", "00-ours"]);
    const [first, , again] = webhook.callsFor("a").map(({ review }) => review.request);
    assert.deepEqual(containersOf(again?.object as JsonObject), ["main", "00-ours", "istio"]);
    assert.notEqual(first?.uid, again?.uid);
    const audit = await context.server.auditOf(context.namespace, "a");
    const mutations = Object.entries(audit)
      .filter(([key]) => key.startsWith("mutation.webhook.admission.k8s.io/"))
      .map(([key, value]) => [key.slice(key.indexOf("round")), JSON.parse(value)] as const)
      .sort(([one], [other]) => (one < other ? -1 : 1));
    const note = (name: string, mutated: boolean) => ({
      configuration: `${context.namespace}-${name}`,
      webhook: `${name}.example.test`,
      mutated,
    });
    assert.deepEqual(mutations, [
      ["round_0_index_0", note("00-ours", true)],
      ["round_0_index_1", note("istio", true)],
      ["round_1_index_0", note("00-ours", false)],
    ]);
  },

  "not again where nothing was changed after it": async (context) => {
    const webhook = await startWebhook(context, ({ configuration }) =>
      configuration === "00-ours"
        ? patching({ op: "add", path: "/metadata/labels", value: { ours: "yes" } })
        : ALLOW,
    );
    await webhook.register("istio");
    await webhook.register("00-ours", IF_NEEDED);
    await context.must(201, "POST", pathOf(context, "pods"), pod("a"));
    assert.deepEqual(order(webhook, "a"), ["00-ours", "istio"]);
  },

  "once again and never more, whatever it changes": async (context) => {
    let count = 0;
    const webhook = await startWebhook(context, () =>
      patching({ op: "add", path: "/metadata/annotations", value: { count: String(count++) } }),
    );
    for (const name of ["a", "b", "c"]) await webhook.register(name, IF_NEEDED);
    const stored = await context.must(201, "POST", pathOf(context, "pods"), pod("x"));
    assert.deepEqual(order(webhook, "x"), ["a", "b", "c", "a", "b", "c"]);
    assert.deepEqual(at(stored, "metadata", "annotations"), { count: "5" });
  },

  "what comes into its selection only later is not called for the first time": async (context) => {
    const webhook = await startWebhook(context, ({ configuration }) =>
      configuration === "second"
        ? patching({ op: "add", path: "/metadata/labels", value: { late: "yes" } })
        : ALLOW,
    );
    const objectSelector = { matchLabels: { late: "yes" } };
    await webhook.register("second");
    await webhook.register("first", { ...IF_NEEDED, objectSelector }, async () => {
      const probe = pod("first-probe", { labels: { late: "yes" } });
      await context.request("POST", `${pathOf(context, "pods")}?dryRun=All`, probe);
      return order(webhook, "first-probe").includes("first");
    });
    await context.must(201, "POST", pathOf(context, "pods"), pod("a"));
    assert.deepEqual(order(webhook, "a"), ["second"]);
  },
};
