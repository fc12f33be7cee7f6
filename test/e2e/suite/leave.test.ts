import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { NAMESPACE_LABEL } from "../../../src/contract/names.ts";
import { at } from "../../../src/json/value.ts";
import { type FaultOutcome, outcomeOf } from "../analysis/outcome.ts";
import { FAULTS } from "../faults/faults.ts";
import { logSince, Observation, settle } from "../faults/observation.ts";
import { restartMembers } from "../faults/restart-members.ts";
import { runFault } from "../faults/run-fault.ts";
import type { Deployed, Form } from "../rig/deploy.ts";
import { keepFigure } from "../rig/figures.ts";
import { until } from "../rig/kubectl.ts";
import { patroniInjector } from "../rig/program.ts";
import { ensureInstalled } from "../rig/release.ts";
import { uninstall } from "../rig/release-changes.ts";
import type { Saboteur } from "../rig/saboteur.ts";
import { hasSidecar } from "../rig/sidecars.ts";
import { extent } from "./selection.ts";
import { setStage } from "./stage.ts";

const FORM: Form = { name: "leave", dcs: "configmaps", synchronous: true, ttlSeconds: 20 };
const TIMEOUT = { timeout: 900_000 };

describe("leaving", { skip: extent === "quick" }, () => {
  const { deployed, saboteur } = setStage(FORM);
  after(() => ensureInstalled(deployed().target), { timeout: 300_000 });

  it("helm uninstall leaves the databases serving, and their sidecars publishing", TIMEOUT, async () => {
    const { target } = deployed();
    const { outcome } = await observed(deployed(), "uninstall", () => uninstall(target));
    assert.deepEqual([outcome.lost, outcome.fromFormer, outcome.twoAtOnce], [[], [], []]);
    keep(deployed(), "helm uninstall: longest time without an acknowledged write", outcome.unavailableMs);
    const after = await strike(deployed(), saboteur(), "delete-grace-0", "uninstalled");
    assert.deepEqual(after.twoAtOnce, []);
    keep(deployed(), "failover after helm uninstall: promoted → published", after.promotedToPublishedMs);
    // The member that came back meanwhile has no sidecar, and only a controller would publish it.
    await ensureInstalled(target);
  });

  it("hands the primary Service over to Patroni's label, and goes on under writes", TIMEOUT, async () => {
    const { kubectl, members, target } = deployed();
    const { namespace } = members;
    const { outcome, said } = await observed(deployed(), "hand-over", async () => {
      await kubectl.run(["label", "--overwrite", "namespace", namespace, `${NAMESPACE_LABEL}=disabled`]);
      const { service } = deployed();
      const before = await kubectl.json(["get", "service", service, `--namespace=${namespace}`]);
      const dry = await patroniInjector(target, [
        "cleanup",
        "--namespace",
        namespace,
        "--leave-selector",
        "--dry-run",
      ]);
      assert.match(dry.stdout, new RegExp(`services/${service}`));
      const unchanged = await kubectl.json(["get", "service", service, `--namespace=${namespace}`]);
      assert.deepEqual(at(unchanged, "spec"), at(before, "spec"));
      const { code, stdout, stderr } = await patroniInjector(target, [
        "cleanup",
        "--namespace",
        namespace,
        "--leave-selector",
      ]);
      assert.equal(code, 1, `${stdout}${stderr}`); // there are sidecars still
      const left = await kubectl.json(["get", "service", service, `--namespace=${namespace}`]);
      assert.deepEqual(at(left, "spec", "selector"), { "cluster-name": members.scope, role: "primary" });
      assert.equal(at(left, "spec", "clusterIP"), at(before, "spec", "clusterIP"));
      return stdout;
    });
    const led = /led nowhere for (\d+) ms/.exec(said)?.[1];
    assert.ok(led, said);
    keep(deployed(), "hand-over to Patroni's label: led nowhere, as cleanup says", Number(led));
    keep(deployed(), "hand-over: longest time without an acknowledged write", outcome.unavailableMs);
    assert.deepEqual([outcome.lost, outcome.fromFormer, outcome.twoAtOnce], [[], [], []]);
  });

  it("is done after a rolling restart: no sidecar, no object of ours", TIMEOUT, async () => {
    const { kubectl, members, target } = deployed();
    await restartMembers(deployed());
    for (const { name, object } of await members.pods()) {
      assert.equal(hasSidecar(object), false, name);
    }
    const done = await until("nothing is left to do", 60_000, async () => {
      const result = await patroniInjector(target, ["cleanup", "--namespace", members.namespace]);
      return result.code === 0 ? result : undefined;
    });
    assert.equal(done.code, 0);
    const kinds = "services,endpointslices,roles,rolebindings,networkpolicies";
    const ours = ["--selector=app.kubernetes.io/managed-by=patroni-injector", "--output=name"];
    const rest = await kubectl.run(["get", kinds, `--namespace=${members.namespace}`, ...ours]);
    assert.equal(rest, "");
  });

  it("survives the next failover, with nothing of ours anywhere", TIMEOUT, async () => {
    await uninstall(deployed().target);
    for (const fault of ["switchover", "delete-grace-0"]) {
      const outcome = await strike(deployed(), saboteur(), fault, "left");
      const what = `${fault} after leaving`;
      keep(deployed(), `${what}: longest time without an acknowledged write`, outcome.unavailableMs);
      keep(deployed(), `${what}: promoted → published by Kubernetes`, outcome.promotedToPublishedMs);
      assert.deepEqual(outcome.lost, [], "acknowledged writes are gone");
    }
  });
});

async function strike(
  deployed: Deployed,
  saboteur: Saboteur,
  name: string,
  when: string,
): Promise<FaultOutcome> {
  const fault = FAULTS.find((row) => row.name === name);
  assert.ok(fault);
  const { outcome, published, primaryIp } = await runFault(deployed, saboteur, {
    ...fault,
    name: `${when}-${name}`,
  });
  assert.deepEqual(published, [primaryIp]);
  return outcome;
}

/** Does something that moves no primary under the counter client and the watch. */
async function observed<Result>(
  deployed: Deployed,
  run: string,
  act: () => Promise<Result>,
): Promise<{ readonly outcome: FaultOutcome; readonly said: Result }> {
  const { primary } = await settle(deployed, `the cluster is settled before ${run}`);
  const observation = await Observation.start(deployed, run);
  try {
    const struckMs = Date.now();
    const said = await act();
    const { primary: current } = await observation.recovery();
    const outcome = outcomeOf({
      struckMs,
      ...(await observation.finish(current)),
      formerIp: primary.ip,
      currentIp: current.ip,
      primaryLog: await logSince(deployed, current, struckMs),
    });
    return { outcome, said };
  } finally {
    await observation.end();
  }
}

function keep({ target }: Deployed, what: string, value: number | undefined): void {
  if (value !== undefined) keepFigure(target, { kind: "number", what, value, unit: "ms" });
}
