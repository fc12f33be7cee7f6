import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { NO_CHOICES } from "../../../src/controller/choices.ts";
import { networkPolicy } from "../../../src/controller/desired/network-policy.ts";
import { at, type JsonObject } from "../../../src/json/value.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { ALL, choiceOf, FACTS } from "../../unit/controller/desired/network-choices.ts";
import { member, settingsOf, viewOf } from "../../unit/controller/views.ts";
import { eventually } from "../suite/eventually.ts";
import { CONTROLLER, grantChart, startController } from "./chart-controller.ts";
import { patroniPod } from "./injector.ts";

const POLICIES = "/apis/networking.k8s.io/v1/namespaces/db/networkpolicies";
const POLICY = `${POLICIES}/patroni-injector-pg`;
const CHOICES = { ...NO_CHOICES, networkPolicies: [choiceOf(ALL)] };

let plane: ControlPlane;

before(async () => {
  plane = await startControlPlane({ users: [CONTROLLER] });
  await prepareNamespace(plane.api, "db", { "patroni-injector.io/injection": "enabled" });
});
after(() => plane?.stop());

describe("the API server takes a policy, without a word of warning,", () => {
  const selector = { matchLabels: { application: "patroni" } };
  const template = { settings: settingsOf(), selector } as never;
  const ROWS: Readonly<Record<string, JsonObject>> = {
    "by default": networkPolicy(viewOf(), choiceOf(), FACTS).object,
    "with everything that may be chosen": networkPolicy(
      viewOf({ openshift: true, templates: [template], scope: "Other_Cluster.1" }),
      choiceOf(ALL),
      FACTS,
    ).object,
    "with IPv6, a pooler and ports of its own": networkPolicy(
      viewOf({ members: [member({ settings: settingsOf({ postgresPort: 6000, poolerPorts: [6432] }) })] }),
      choiceOf({ apiServer: { addresses: true } }),
      { ...FACTS, apiServer: ["fd00::1"] },
    ).object,
  };
  for (const [what, policy] of Object.entries(ROWS)) {
    it(what, async () => {
      const path = `${POLICIES}?dryRun=All&fieldValidation=Strict`;
      const { status, headers, body } = await plane.api.request("POST", path, policy);
      assert.equal(status, 201, JSON.stringify(body));
      assert.equal(headers.warning, undefined);
    });
  }
});

describe("the controller, with the chart's permissions,", () => {
  const spec = async () => at((await plane.api.request("GET", POLICY)).body, "spec", "ingress");

  it("makes a policy, mends it, and takes it away with the cluster", async (t) => {
    await grantChart(plane, { config: { controller: { networkPolicies: [{}] } } });
    const controller = startController(plane, CHOICES);
    t.after(() => controller.stop());
    await plane.api.request("POST", "/api/v1/namespaces/db/pods", patroniPod("pg-0"));
    await eventually("there is a policy", async () => (await spec()) !== undefined);
    const type = { "content-type": "application/merge-patch+json" };
    await plane.api.request("PATCH", POLICY, { spec: { ingress: null } }, type);
    await eventually("it is mended", async () => (await spec()) !== undefined);
    await plane.api.request("DELETE", "/api/v1/namespaces/db/pods/pg-0?gracePeriodSeconds=0");
    await eventually("it is gone", async () => (await plane.api.request("GET", POLICY)).status === 404);
    assert.deepEqual(controller.refusals, []);
  });
});
