import { setTimeout as delay } from "node:timers/promises";
import { type FaultOutcome, outcomeOf } from "../analysis/outcome.ts";
import type { Deployed } from "../rig/deploy.ts";
import { logSince, Observation, settle } from "./observation.ts";
import { switchOver } from "./switchover.ts";

/** A switchover to one certain member (with synchronous replication it must be the synchronous standby) under client and watch. */
export async function runSwitchoverTo(
  deployed: Deployed,
  candidate: string,
  run: string,
): Promise<FaultOutcome> {
  const { members } = deployed;
  const { primary: former } = await settle(deployed, `the cluster is settled before ${run}`);
  const observation = await Observation.start(deployed, run);
  try {
    await delay(1_000);
    const struckMs = Date.now();
    await switchOver(members, former, await members.pod(candidate));
    const { primary } = await observation.recovery();
    if (primary.name !== candidate) throw new Error(`${primary.name} is the primary instead of ${candidate}`);
    return outcomeOf({
      struckMs,
      ...(await observation.finish(primary)),
      formerIp: former.ip,
      currentIp: primary.ip,
      primaryLog: await logSince(deployed, primary, struckMs),
    });
  } finally {
    await observation.end();
  }
}
