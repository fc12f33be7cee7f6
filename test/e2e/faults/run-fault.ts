import { setTimeout as delay } from "node:timers/promises";
import { type FaultOutcome, outcomeOf } from "../analysis/outcome.ts";
import type { Deployed } from "../rig/deploy.ts";
import type { Saboteur } from "../rig/saboteur.ts";
import type { Fault } from "./faults.ts";
import { logSince, Observation, settle } from "./observation.ts";

/** How long the client writes before the fault, and after everything has settled. */
const MARGIN_MS = 2_000;

export interface FaultRun {
  readonly outcome: FaultOutcome;
  /** Whether another member is the primary now. */
  readonly moved: boolean;
  /** What stood in the slice at the end, and who was the primary. */
  readonly published: readonly string[];
  readonly primaryIp: string;
}

/** Strikes a settled cluster under the counter client, waits until it is settled again, and tells what all of it meant. */
export async function runFault(deployed: Deployed, saboteur: Saboteur, fault: Fault): Promise<FaultRun> {
  const { kubectl, members, form } = deployed;
  const before = await settle(deployed, `the cluster is settled before ${fault.name}`);
  const observation = await Observation.start(deployed, fault.name);
  try {
    await delay(MARGIN_MS);
    const struckMs = Date.now();
    await fault.strike({ kubectl, members, saboteur, before, ttlSeconds: form.ttlSeconds });
    const { primary } = await observation.recovery();
    await delay(MARGIN_MS);
    const outcome = outcomeOf({
      struckMs,
      ...(await observation.finish(primary)),
      formerIp: before.primary.ip,
      currentIp: primary.ip,
      primaryLog: await logSince(deployed, primary, struckMs),
    });
    const moved = before.primary.uid !== primary.uid;
    return { outcome, moved, published: observation.published, primaryIp: primary.ip };
  } finally {
    await observation.end();
  }
}
