import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { settle } from "../faults/observation.ts";
import { restartMember } from "../faults/restart-members.ts";
import { runSwitchoverTo } from "../faults/run-switchover-to.ts";
import type { Deployed, Form } from "../rig/deploy.ts";
import { keepFigure } from "../rig/figures.ts";
import { until } from "../rig/kubectl.ts";
import { patroniInjector } from "../rig/program.ts";
import { scale } from "../rig/release-changes.ts";
import { Reports } from "../rig/reports.ts";
import { hasSidecar } from "../rig/sidecars.ts";
import { extent } from "./selection.ts";
import { setStage } from "./stage.ts";

const FORM: Form = { name: "fail-open", dcs: "configmaps", synchronous: false, ttlSeconds: 20 };
const REPLICAS = 2;
const TIMEOUT = { timeout: 600_000 };
const SEEN_WITHIN_MS = 60_000;

describe("a webhook that is down", { skip: extent === "quick" }, () => {
  const { deployed } = setStage(FORM);
  after(() => scale(deployed().target, REPLICAS), { timeout: 200_000 });
  let past = "";

  it("keeps no pod from coming back, and the others go on publishing", TIMEOUT, async () => {
    const { members, target } = deployed();
    await scale(target, 0);
    const standby = await aStandby(deployed());
    await restartMember(deployed(), standby);
    past = standby.name;
    assert.equal(hasSidecar((await members.pod(past)).object), false);
    const { standbys } = await settle(deployed(), "the cluster is settled without the webhook");
    const other = standbys.find(({ name }) => name !== past);
    assert.ok(other);
    const outcome = await runSwitchoverTo(deployed(), other.name, "webhook-down");
    keep(
      deployed(),
      "switchover while the webhook is down: promoted → published",
      outcome.promotedToPublishedMs,
    );
  });

  it("is known of once it is back: metric, finding, Event, audit", TIMEOUT, async () => {
    const { kubectl, members, target } = deployed();
    const { namespace } = members;
    const reports = new Reports(kubectl);
    await scale(target, REPLICAS);
    const began = performance.now();
    const labels = { target_namespace: namespace, reason: "not-injected" };
    await until("the metric counts the pod", SEEN_WITHIN_MS, async () =>
      (await reports.metric("patroni_injector_uninjected_pods", labels)) === 1 ? true : undefined,
    );
    keep(
      deployed(),
      "webhook ready again, to the metric of the pod that got past it",
      performance.now() - began,
    );
    const { reason } = labels;
    await until("the finding is counted", SEEN_WITHIN_MS, async () =>
      (await reports.metric("patroni_injector_controller_findings", { reason })) >= 1 ? true : undefined,
    );
    const notes = await until("there is an Event", SEEN_WITHIN_MS, async () => {
      const found = await reports.events(namespace, reason);
      return found.length > 0 ? found : undefined;
    });
    assert.ok(
      notes.some((note) => note.startsWith(`${past} — `)),
      notes.join("\n"),
    );
    const audit = await patroniInjector(target, ["audit", "--namespace", namespace, "--output", "json"]);
    const found = JSON.stringify(JSON.parse(audit.stdout));
    assert.ok(found.includes('"not-injected"'), audit.stdout);
    assert.equal(audit.code, 1, audit.stderr);
  });

  it("leaves a member whom the controller publishes", TIMEOUT, async () => {
    const outcome = await runSwitchoverTo(deployed(), past, "to-uninjected");
    assert.deepEqual([outcome.lost, outcome.fromFormer, outcome.twoAtOnce], [[], [], []]);
    const what = "switchover to a member without a sidecar";
    keep(deployed(), `${what}: promoted → published, by the controller`, outcome.promotedToPublishedMs);
    keep(deployed(), `${what}: longest time without an acknowledged write`, outcome.unavailableMs);
    const back = await aStandby(deployed());
    await runSwitchoverTo(deployed(), back.name, "from-uninjected");
  });

  it("is over when the pod was restarted", TIMEOUT, async () => {
    const { kubectl, members } = deployed();
    await restartMember(deployed(), await members.pod(past));
    assert.equal(hasSidecar((await members.pod(past)).object), true);
    const labels = { target_namespace: members.namespace };
    await until("the metric counts no pod", SEEN_WITHIN_MS, async () =>
      (await new Reports(kubectl).metric("patroni_injector_uninjected_pods", labels)) === 0
        ? true
        : undefined,
    );
  });
});

async function aStandby(deployed: Deployed) {
  const [standby] = (await settle(deployed, "the cluster is settled")).standbys;
  assert.ok(standby);
  return standby;
}

function keep({ target }: Deployed, what: string, value: number | undefined): void {
  if (value !== undefined) keepFigure(target, { kind: "number", what, value, unit: "ms" });
}
