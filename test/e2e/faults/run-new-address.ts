import { settledOn } from "../analysis/lookups.ts";
import { type FaultOutcome, outcomeOf } from "../analysis/outcome.ts";
import { promotionsIn } from "../analysis/postgres-log.ts";
import type { Deployed } from "../rig/deploy.ts";
import { until } from "../rig/kubectl.ts";
import { Lookups } from "../rig/lookups.ts";
import type { MemberPod } from "../rig/members.ts";
import { logSince, Observation, settle } from "./observation.ts";
import { switchOver } from "./switchover.ts";

export interface NewAddressRun {
  readonly outcome: FaultOutcome;
  /** From the restarted pod having its new address to its name resolving to it, seen from another member. */
  readonly resolvedAfterMs: number | undefined;
  /** From the restarted member streaming again to Patroni accepting it as the next primary. */
  readonly acceptedAfterMs: number;
  /** From the restarted member's promotion to the last standby's connection to it. */
  readonly followedAfterMs: number | undefined;
}

/**
 * A standby's pod restarts with another address while another member looks its name up all the time, so that every cache on the way
 * holds the former one; as soon as it streams again it is to become the primary. Not for synchronous replication, where Patroni has chosen
 * another synchronous standby by then, and only that one may take over.
 */
export async function runNewAddress(deployed: Deployed): Promise<NewAddressRun> {
  const { kubectl, members } = deployed;
  const before = await settle(deployed, "the cluster is settled before a pod gets another address");
  const [candidate = before.primary, other = before.primary] = before.standbys;
  const observation = await Observation.start(deployed, "new-address");
  const name = `${candidate.name}.${members.scope}-headless.${members.namespace}.svc.cluster.local`;
  const lookups = new Lookups(kubectl, members.ref(other.name), name);
  try {
    const place = [`--namespace=${members.namespace}`, "--grace-period=1"];
    await kubectl.run(["delete", "pod", candidate.name, ...place, "--wait=false"]);
    const again = await until(
      `${candidate.name} has another address`,
      60_000,
      () => restarted(deployed, candidate),
      100,
    );
    const addressedMs = Date.now();
    const { primary } = await settle(deployed, `${candidate.name} streams again`);
    const streamsMs = Date.now();
    // Refused as long as the primary cannot reach the candidate's Patroni by its name.
    const struckMs = await until(`Patroni switches over to ${candidate.name}`, 120_000, async () => {
      const triedMs = Date.now();
      await switchOver(members, primary, again);
      return triedMs;
    });
    await observation.recovery();
    const primaryLog = await logSince(deployed, again, struckMs);
    const promotedMs = promotionsIn(primaryLog).at(-1)?.promotedMs;
    const connectedMs = Number(
      await members.sql(
        again.name,
        "SELECT 1000 * extract(epoch FROM max(backend_start)) FROM pg_stat_replication",
      ),
    );
    const resolvedMs = settledOn(await lookups.stop(), again.ip);
    const outcome = outcomeOf({
      struckMs,
      ...(await observation.finish(again)),
      formerIp: primary.ip,
      currentIp: again.ip,
      primaryLog,
    });
    return {
      outcome,
      resolvedAfterMs: resolvedMs && resolvedMs - addressedMs,
      acceptedAfterMs: struckMs - streamsMs,
      followedAfterMs: promotedMs && connectedMs - promotedMs,
    };
  } finally {
    await lookups.stop();
    await observation.end();
  }
}

async function restarted({ members }: Deployed, former: MemberPod): Promise<MemberPod | undefined> {
  return (await members.pods()).find(({ name, uid }) => name === former.name && uid !== former.uid);
}
