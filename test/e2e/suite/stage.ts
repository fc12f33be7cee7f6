import assert from "node:assert/strict";
import { after, before } from "node:test";
import type { ContainerMemory } from "../analysis/memory.ts";
import { type Deployed, deploy, type Form } from "../rig/deploy.ts";
import { keepFigure } from "../rig/figures.ts";
import { Kubectl } from "../rig/kubectl.ts";
import { ensureInstalled } from "../rig/release.ts";
import { Saboteur } from "../rig/saboteur.ts";
import { sidecarMemories } from "../rig/sidecars.ts";
import { type Target, targetFromEnv } from "../rig/target.ts";

/** What the tests of one file work on. Each call fails before the file's `before` is through. */
export interface Stage {
  readonly deployed: () => Deployed;
  readonly saboteur: () => Saboteur;
}

const SETS_UP_WITHIN_MS = 600_000;

/**
 * Before the file's tests: the chart, installed once for all files, a cluster of this form, and the saboteur. The cluster's namespace
 * opts in unless `labels` say otherwise.
 */
export function setStage(form: Form, labels?: Readonly<Record<string, string>>): Stage {
  let deployed: Deployed | undefined;
  let saboteur: Saboteur | undefined;
  before(
    async () => {
      const target = targetFromEnv();
      await install(target);
      deployed = await deploy(target, form, labels);
      saboteur = await Saboteur.start(new Kubectl(target.access), target.images.patroni);
    },
    { timeout: SETS_UP_WITHIN_MS },
  );
  after(async () => {
    try {
      if (deployed && saboteur) await keepSidecarMemory(deployed, saboteur);
    } finally {
      await deployed?.remove();
    }
  });
  return { deployed: () => present(deployed), saboteur: () => present(saboteur) };
}

async function install(target: Target): Promise<void> {
  const tookMs = await ensureInstalled(target);
  if (tookMs !== undefined) {
    keepFigure(target, { kind: "number", what: "helm install to Ready", value: tookMs / 1000, unit: "s" });
  }
}

/** Every sidecar that lived to the end of the file's tests: what it took, and that it was not ended for it. */
async function keepSidecarMemory({ target, form, members }: Deployed, saboteur: Saboteur): Promise<void> {
  const memories = await sidecarMemories(await members.pods(), saboteur);
  if (memories.length === 0) return;
  const most = (of: (memory: ContainerMemory) => number) => Math.max(...memories.map(of)) / 2 ** 20;
  const keep = (what: string, value: number) =>
    keepFigure(target, { kind: "number", what: `${form.name}: a sidecar's ${what}`, value, unit: "MiB" });
  keep(
    "peak memory, of 64 MiB, page cache included",
    most(({ peakBytes }) => peakBytes),
  );
  keep(
    "own memory at the end",
    most(({ anonymousBytes }) => anonymousBytes),
  );
  assert.deepEqual(
    memories.filter(({ oomKills }) => oomKills > 0),
    [],
    "sidecars were ended for want of memory",
  );
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the stage is not set");
  return value;
}
