import assert from "node:assert/strict";
import { it } from "node:test";
import type { FaultOutcome } from "../analysis/outcome.ts";
import type { Fault } from "../faults/faults.ts";
import { runFault } from "../faults/run-fault.ts";
import { runNewAddress } from "../faults/run-new-address.ts";
import { runSwitchovers } from "../faults/run-switchovers.ts";
import type { Deployed } from "../rig/deploy.ts";
import { keepFigure } from "../rig/figures.ts";
import type { Saboteur } from "../rig/saboteur.ts";

/** Patroni's own way back after a fault, with room for a loaded machine. */
const SLACK_MS = 60_000;
const TIMEOUT = { timeout: 600_000 };

/** Each fault, one after the other, on one cluster: what must hold whatever the timing, and the figures. */
export function describeFaults(
  faults: readonly Fault[],
  get: () => Deployed,
  saboteur: () => Saboteur,
): void {
  for (const fault of faults) {
    it(fault.title, TIMEOUT, async () => {
      const { outcome, moved, published, primaryIp } = await runFault(get(), saboteur(), fault);
      keep(get(), fault.name, outcome);
      hold(get(), outcome);
      assert.deepEqual(published, [primaryIp]);
      if (fault.movesPrimary) assert.ok(moved, "another member became the primary");
    });
  }
}

/** Many switchovers in a row, for figures with a spread. */
export function describeSwitchovers(count: number, get: () => Deployed): void {
  it(`${count} switchovers in a row`, { timeout: 60_000 + count * 60_000 }, async () => {
    const outcomes = await runSwitchovers(get(), count);
    for (const outcome of outcomes) keep(get(), "switchovers", outcome);
    for (const outcome of outcomes) hold(get(), outcome);
    assert.equal(
      outcomes.filter(({ promotedToPublishedMs }) => promotedToPublishedMs !== undefined).length,
      count,
    );
  });
}

/** What caches of names cost. */
export function describeNewAddress(get: () => Deployed): void {
  it("a pod that restarts with another address just before it becomes the primary", TIMEOUT, async () => {
    const { outcome, resolvedAfterMs, acceptedAfterMs, followedAfterMs } = await runNewAddress(get());
    keep(get(), "new-address", outcome);
    keepNumber(get(), "a pod's new address, to its name resolving to it", resolvedAfterMs);
    keepNumber(get(), "it streams again, to Patroni accepting it as the next primary", acceptedAfterMs);
    keepNumber(get(), "its promotion, to the last standby following it by name", followedAfterMs);
    hold(get(), outcome);
    assert.ok(resolvedAfterMs !== undefined && followedAfterMs !== undefined);
  });
}

/** What must hold after everything. */
function hold({ form }: Deployed, { lost, fromFormer, twoAtOnce, unavailableMs }: FaultOutcome): void {
  assert.deepEqual(twoAtOnce, [], "two addresses stood in the slice");
  if (form.synchronous) {
    assert.deepEqual(lost, [], "acknowledged writes are gone");
    assert.deepEqual(fromFormer, [], "a former primary acknowledged writes");
  }
  const bound = form.ttlSeconds * 1000 + SLACK_MS;
  assert.ok(unavailableMs !== undefined && unavailableMs < bound, `${unavailableMs} ms`);
}

function keep({ target, form }: Deployed, fault: string, outcome: FaultOutcome): void {
  const { lost, fromFormer, twoAtOnce, ...figures } = outcome;
  const counts = { lost: lost.length, fromFormer: fromFormer.length, twoAtOnce: twoAtOnce.length };
  keepFigure(target, { kind: "fault", form: form.name, fault, ...figures, ...counts });
}

function keepNumber({ target }: Deployed, what: string, ms: number | undefined): void {
  if (ms !== undefined) keepFigure(target, { kind: "number", what, value: ms, unit: "ms" });
}
