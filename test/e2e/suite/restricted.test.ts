import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NAMESPACE_LABEL } from "../../../src/contract/names.ts";
import { runSwitchovers } from "../faults/run-switchovers.ts";
import type { Form } from "../rig/deploy.ts";
import { describeOpening } from "./opening.ts";
import { extent } from "./selection.ts";
import { setStage } from "./stage.ts";

const FORM: Form = {
  name: "restricted",
  dcs: "configmaps",
  synchronous: true,
  ttlSeconds: 20,
  restricted: true,
};
const LABELS = { [NAMESPACE_LABEL]: "enabled", "pod-security.kubernetes.io/enforce": "restricted" };

describe("Patroni where Pod Security enforces restricted", { skip: extent === "quick" }, () => {
  const { deployed } = setStage(FORM, LABELS);
  describeOpening(deployed);

  it("switches over", { timeout: 300_000 }, async () => {
    const [outcome] = await runSwitchovers(deployed(), 1);
    assert.deepEqual([outcome?.lost, outcome?.fromFormer, outcome?.twoAtOnce], [[], [], []]);
    assert.ok(outcome?.promotedToPublishedMs !== undefined);
  });
});
