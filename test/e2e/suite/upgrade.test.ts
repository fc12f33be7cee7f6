import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { percentile } from "../../../bench/statistics.ts";
import { AdmissionLoad } from "../rig/admission-load.ts";
import { keepFigure } from "../rig/figures.ts";
import { Kubectl } from "../rig/kubectl.ts";
import { ensureInstalled, RELEASE } from "../rig/release.ts";
import { restart, rollBack, upgrade } from "../rig/release-changes.ts";
import { type Target, targetFromEnv } from "../rig/target.ts";
import { extent } from "./selection.ts";

const TIMEOUT = { timeout: 600_000 };
const POD_SECURITY = "pod-security.kubernetes.io/enforce";

/** One after the other, under one load. */
const CHANGES: readonly [what: string, change: (target: Target) => Promise<void>][] = [
  // As the how-to has it.
  ["helm upgrade", (target) => upgrade(target, {}, ["--reset-then-reuse-values"])],
  ...(extent === "quick"
    ? []
    : ([
        ["helm rollback", rollBack],
        ["kubectl rollout restart", restart],
        ["helm upgrade to another drain", (target) => upgrade(target, { config: { drainSeconds: 5 } })],
        ["helm upgrade back to the defaults", (target) => upgrade(target)],
      ] satisfies [string, (target: Target) => Promise<void>][])),
];

describe("while pods are created all the time", () => {
  const target = targetFromEnv();
  const kubectl = new Kubectl(target.access);
  let load: AdmissionLoad | undefined;

  before(
    async () => {
      await ensureInstalled(target);
      load = await AdmissionLoad.start(target);
    },
    { timeout: 400_000 },
  );
  after(() => load?.remove());

  it("replaces its own pods in a namespace that enforces Pod Security restricted", TIMEOUT, async () => {
    await kubectl.run(["label", "--overwrite", "namespace", RELEASE.namespace, `${POD_SECURITY}=restricted`]);
    for (const [what, change] of CHANGES) {
      const began = performance.now();
      await change(target);
      keepNumber(`${what}, to its end`, (performance.now() - began) / 1000, "s");
    }
  });

  it("has injected every pod", TIMEOUT, async () => {
    assert.ok(load);
    const admissions = await load.stop();
    const settled = admissions.findIndex(({ outcome }) => outcome === "injected");
    const since = admissions.slice(settled);
    const failed = since.filter(({ outcome }) => outcome !== "injected");
    const took = since.map(({ ms }) => ms).sort((one, other) => one - other);
    keepNumber(`pods created during ${CHANGES.length} replacements of the webhook`, since.length, "");
    keepNumber("of these, refused or not injected", failed.length, "");
    keepNumber("creation of a pod under them, p99", percentile(took, 99), "ms");
    assert.deepEqual(failed, []);
    assert.ok(since.length > 20 * CHANGES.length, `${since.length} pods`);
  });

  function keepNumber(what: string, value: number, unit: string): void {
    keepFigure(target, { kind: "number", what, value, unit });
  }
});
