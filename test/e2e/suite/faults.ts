import assert from "node:assert/strict";
import { it } from "node:test";
import type { Fault } from "../faults/faults.ts";
import { runFault } from "../faults/run-fault.ts";
import type { Deployed } from "../rig/deploy.ts";
import { keepFigure } from "../rig/figures.ts";
import type { Saboteur } from "../rig/saboteur.ts";

/** Patroni's own way back after a fault, with room for a loaded machine. */
const SLACK_MS = 60_000;

/** Each fault, one after the other, on one cluster: what must hold whatever the timing, and the figures. */
export function describeFaults(
  faults: readonly Fault[],
  get: () => Deployed,
  saboteur: () => Saboteur,
): void {
  for (const fault of faults) {
    it(fault.title, { timeout: 480_000 }, async () => {
      const { form, target } = get();
      const { outcome, moved, published, primaryIp } = await runFault(get(), saboteur(), fault);
      const { lost, fromFormer, twoAtOnce, ...figures } = outcome;
      keepFigure(target, {
        kind: "fault",
        form: form.name,
        fault: fault.name,
        ...figures,
        lost: lost.length,
        fromFormer: fromFormer.length,
        twoAtOnce: twoAtOnce.length,
      });
      assert.deepEqual(twoAtOnce, [], "two addresses stood in the slice");
      assert.deepEqual(published, [primaryIp]);
      if (form.synchronous) {
        assert.deepEqual(lost, [], "acknowledged writes are gone");
        assert.deepEqual(fromFormer, [], "a former primary acknowledged writes");
      }
      if (fault.movesPrimary) assert.ok(moved, "another member became the primary");
      const bound = form.ttlSeconds * 1000 + SLACK_MS;
      assert.ok((outcome.unavailableMs ?? Number.POSITIVE_INFINITY) < bound, `${outcome.unavailableMs} ms`);
    });
  }
}
