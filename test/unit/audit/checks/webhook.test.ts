import assert from "node:assert/strict";
import { test } from "node:test";
import { WEBHOOK } from "../../../../src/audit/checks/webhook.ts";
import { defaultConfig } from "../../../../src/config/load.ts";
import type { JsonObject } from "../../../../src/json/value.ts";
import { desiredWebhookConfiguration } from "../../../../src/webhook/registration.ts";
import { audited, codesOf, namespace, threeMembers } from "../world.ts";

const configuration = (caPem = "PEM", name = "00-patroni-injector"): JsonObject => {
  const whole = desiredWebhookConfiguration(defaultConfig(), {
    ownNamespace: "injector",
    caPem,
    port: 10250,
  });
  return { ...whole, metadata: { ...(whole.metadata as JsonObject), name } };
};
const [service = ""] = [defaultConfig().webhook.registration.service.name];
const endpoints = (...ready: boolean[]): JsonObject => ({
  kind: "EndpointSlice",
  metadata: { namespace: "injector", name: "x", labels: { "kubernetes.io/service-name": service } },
  endpoints: ready.map((each) => ({ addresses: ["10.0.0.1"], conditions: { ready: each } })),
});
const mesh = (name: string): JsonObject => ({
  kind: "MutatingWebhookConfiguration",
  metadata: { name },
  webhooks: [],
});

const SOUND = [...threeMembers(), configuration(), endpoints(true)];

for (const [what, codes, objects] of [
  ["a sound webhook", [], SOUND],
  ["none", ["webhook-missing"], threeMembers()],
  ["none, where nothing is to be injected", [], [namespace("db"), ...threeMembers().slice(1)]],
  ["one of others", ["webhook-missing"], [...threeMembers(), mesh("istio-sidecar-injector")]],
  ["nobody is trusted", ["webhook-untrusted"], [...threeMembers(), configuration(""), endpoints(true)]],
  ["nobody is ready", ["webhook-unreachable"], [...threeMembers(), configuration(), endpoints(false, false)]],
  ["one of two is ready", [], [...threeMembers(), configuration(), endpoints(false, true)]],
  ["no endpoints at all", ["webhook-unreachable"], [...threeMembers(), configuration()]],
  [
    "the mesh comes later",
    [],
    [...SOUND, mesh("istio-sidecar-injector"), mesh("istio-revision-tag-default")],
  ],
  [
    "the mesh comes first",
    ["webhook-order"],
    [
      ...threeMembers(),
      configuration("PEM", "patroni-injector"),
      endpoints(true),
      mesh("istio-sidecar-injector"),
    ],
  ],
] as const satisfies readonly (readonly [string, readonly string[], readonly JsonObject[]])[])
  test(what, () => {
    const outcome = audited(WEBHOOK, { objects });
    assert.deepEqual(codesOf(outcome), codes);
    assert.deepEqual(outcome.unseen, []);
  });
