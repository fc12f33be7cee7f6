import { type FaultOutcome, type FaultRecord, outcomeOf } from "../analysis/outcome.ts";
import type { Deployed } from "../rig/deploy.ts";
import { logSince, Observation, settle } from "./observation.ts";
import { switchOver } from "./switchover.ts";

/** One switchover after another under one client and one watch, for figures with a spread. `run` tells them apart: a DNS label. */
export async function runSwitchovers(
  deployed: Deployed,
  count: number,
  run = "switchovers",
): Promise<FaultOutcome[]> {
  const { members } = deployed;
  let settled = await settle(deployed, "the cluster is settled before the switchovers");
  const observation = await Observation.start(deployed, run);
  try {
    const moves: Omit<FaultRecord, "writes" | "stored" | "slice">[] = [];
    for (let index = 0; index < count; index++) {
      const struckMs = Date.now();
      const { primary: former, standbys } = settled;
      await switchOver(members, former, standbys[0] ?? former);
      settled = await observation.recovery();
      const primaryLog = await logSince(deployed, settled.primary, struckMs);
      moves.push({ struckMs, formerIp: former.ip, currentIp: settled.primary.ip, primaryLog });
    }
    const { writes, stored, slice } = await observation.finish(settled.primary);
    return moves.map((move, index) => {
      const untilMs = moves[index + 1]?.struckMs ?? Number.POSITIVE_INFINITY;
      const own = writes.filter(({ sentMs }) => sentMs >= move.struckMs && sentMs < untilMs);
      return outcomeOf({ ...move, writes: own, stored, slice });
    });
  } finally {
    await observation.end();
  }
}
