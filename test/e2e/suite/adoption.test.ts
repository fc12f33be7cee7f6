import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { NAMESPACE_LABEL } from "../../../src/contract/names.ts";
import { TAKE_OVER_ANNOTATION } from "../../../src/contract/service-annotations.ts";
import { type FaultOutcome, outcomeOf } from "../analysis/outcome.ts";
import { sumsOf } from "../analysis/sums.ts";
import { FAULTS } from "../faults/faults.ts";
import { logSince, Observation } from "../faults/observation.ts";
import { restartMembers } from "../faults/restart-members.ts";
import { runFault } from "../faults/run-fault.ts";
import { runSwitchovers } from "../faults/run-switchovers.ts";
import { endpointsLoopObjects, LOOP } from "../manifests/endpoints-loop.ts";
import type { Deployed, Form } from "../rig/deploy.ts";
import { keepFigure } from "../rig/figures.ts";
import { until } from "../rig/kubectl.ts";
import type { Saboteur } from "../rig/saboteur.ts";
import { describeOpening } from "./opening.ts";
import { extent } from "./selection.ts";
import { setStage } from "./stage.ts";

const FORM: Form = { name: "adoption", dcs: "configmaps", synchronous: true, ttlSeconds: 20 };
const PROGRAM = join(import.meta.dirname, "../client/endpoints-loop.sh");
const SWITCHOVERS = 3;
const TIMEOUT = { timeout: 900_000 };

describe("a running cluster whose primary a loop publishes", { skip: extent === "quick" }, () => {
  const { deployed, saboteur } = setStage(FORM, {});

  before(() => startLoop(deployed()), { timeout: 120_000 });

  it("comes through changes of primary as well as the loop lets it", TIMEOUT, async () => {
    keep(deployed(), "before", await changesOfPrimary(deployed(), saboteur(), "before"));
  });

  it(
    "is taken over under writes: opted in, its Service taken over, its members restarted",
    TIMEOUT,
    async () => {
      const outcome = await adopt(deployed());
      keep(deployed(), "take-over", [outcome]);
      assert.deepEqual(outcome.lost, [], "acknowledged writes are gone");
      assert.deepEqual(outcome.fromFormer, [], "a former primary acknowledged writes");
      assert.deepEqual(outcome.twoAtOnce, [], "two addresses stood in the slices");
    },
  );

  describeOpening(deployed);

  it("follows the primary from then on, whatever the loop writes", TIMEOUT, async () => {
    const outcomes = await changesOfPrimary(deployed(), saboteur(), "after");
    keep(deployed(), "after", outcomes);
    for (const { lost, fromFormer, twoAtOnce } of outcomes) {
      assert.deepEqual([lost, fromFormer, twoAtOnce], [[], [], []]);
    }
    await logOfLoop(deployed(), /^patched/m); // it did go on
  });

  it("does without the loop", TIMEOUT, async () => {
    const { kubectl, members } = deployed();
    await kubectl.run(["delete", "pod", LOOP, `--namespace=${members.namespace}`]);
    const [outcome] = await runSwitchovers(deployed(), 1, "without-loop");
    assert.ok(outcome?.promotedToPublishedMs !== undefined);
  });
});

async function startLoop({ kubectl, members, service, target }: Deployed): Promise<void> {
  const { namespace, scope } = members;
  const program = await readFile(PROGRAM, "utf8");
  const { patroni: image } = target.images;
  await kubectl.apply(endpointsLoopObjects({ namespace, scope, service, image, program }));
  await until("the loop publishes the primary", 60_000, async () => {
    const slices = await kubectl.run([
      ...["get", "endpointslices", `--namespace=${namespace}`],
      ...[`--selector=kubernetes.io/service-name=${service}`, "--output=jsonpath={..addresses[*]}"],
    ]);
    return slices.trim() === "" ? undefined : slices;
  });
}

async function logOfLoop({ kubectl, members }: Deployed, what: RegExp): Promise<void> {
  const log = await kubectl.run(["logs", LOOP, `--namespace=${members.namespace}`, "--since=30s"]);
  assert.match(log, what);
}

/** Switchovers, and a primary that is gone at once. */
async function changesOfPrimary(
  deployed: Deployed,
  saboteur: Saboteur,
  run: "before" | "after",
): Promise<FaultOutcome[]> {
  const switchovers = await runSwitchovers(deployed, SWITCHOVERS, `${run}-switchovers`);
  const gone = FAULTS.find(({ name }) => name === "delete-grace-0");
  assert.ok(gone);
  const { outcome } = await runFault(deployed, saboteur, { ...gone, name: `${run}-${gone.name}` });
  return [...switchovers, outcome];
}

/** As the how-to has it, with the loop going on all the time. */
async function adopt(deployed: Deployed): Promise<FaultOutcome> {
  const { kubectl, members, service, settled } = deployed;
  const { namespace } = members;
  const observation = await Observation.start(deployed, "take-over");
  try {
    const former = (await observation.recovery()).primary;
    const struckMs = Date.now();
    await kubectl.run(["label", "namespace", namespace, `${NAMESPACE_LABEL}=enabled`]);
    await kubectl.run([
      "annotate",
      "service",
      service,
      `--namespace=${namespace}`,
      `${TAKE_OVER_ANNOTATION}=true`,
    ]);
    await until("the slice of our own leads", 60_000, async () => {
      const slice = await kubectl.json(["get", "endpointslice", service, `--namespace=${namespace}`]);
      return JSON.stringify(slice).includes(former.ip) || undefined;
    });
    keepNumber(deployed, "adoption: annotation to our own slice", Date.now() - struckMs, "ms");
    const { primary } = await restartMembers(deployed);
    keepNumber(deployed, "adoption: label to the last member's return", (Date.now() - struckMs) / 1000, "s");
    await observation.recovery();
    await delay(2_000);
    return outcomeOf({
      struckMs,
      ...(await observation.finish(primary)),
      formerIp: former.ip,
      currentIp: primary.ip,
      primaryLog: await logSince({ ...deployed, settled }, primary, struckMs),
    });
  } finally {
    await observation.end();
  }
}

function keep(deployed: Deployed, when: string, outcomes: readonly FaultOutcome[]): void {
  const { wrongServerMs, readOnly, lost, unavailableMs } = sumsOf(outcomes);
  const what = `adoption, ${when} (${outcomes.length} changes of primary)`;
  keepNumber(deployed, `${what}: clients led to the wrong server`, wrongServerMs / 1000, "s");
  keepNumber(deployed, `${what}: attempts that reached one which takes no writes`, readOnly, "");
  keepNumber(deployed, `${what}: acknowledged writes lost`, lost, "");
  keepNumber(deployed, `${what}: longest time without an acknowledged write`, unavailableMs / 1000, "s");
}

function keepNumber({ target }: Deployed, what: string, value: number, unit: string): void {
  keepFigure(target, { kind: "number", what, value, unit });
}
