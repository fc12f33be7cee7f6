import assert from "node:assert/strict";
import { test } from "node:test";
import { asTold } from "../../../src/audit/as-told.ts";
import { decideOn, injected, ours, patroniPod, settingsOf, type World } from "../injection/world.ts";

const POD = patroniPod({
  annotations: ours({ "reload-postgres-version": "dcs", "reload-allow": "ops/pipeline" }),
});
const RUNS_AS: World = { settings: { controllerAccount: "injector/injector" } };

test("a pod that the injector made is as planned, though the audit does not know whom the injector runs as", () => {
  const pod = injected(POD, RUNS_AS);
  const told = asTold(settingsOf({}), pod);
  assert.equal(told.controllerAccount, "injector/injector");
  const reason = (world: World) => {
    const decision = decideOn(pod, world);
    return decision.kind === "inject" && decision.reason;
  };
  assert.equal(reason({ settings: told }), "already-injected");
  assert.equal(reason({}), "injected");
});

test("of a pod that says nothing of it nothing is taken", () => {
  assert.equal(asTold(settingsOf({}), POD).controllerAccount, undefined);
  assert.equal(asTold(settingsOf({}), injected(POD)).controllerAccount, undefined);
});
