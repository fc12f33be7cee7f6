import type { Deployed } from "../rig/deploy.ts";
import { until } from "../rig/kubectl.ts";
import type { MemberPod, Settled } from "../rig/members.ts";
import { settle } from "./observation.ts";
import { switchOver } from "./switchover.ts";

const BACK_WITHIN_MS = 240_000;

/** Restarts every member as the how-tos say: replicas one by one, then a switchover, and the former primary last. */
export async function restartMembers(deployed: Deployed): Promise<Settled> {
  const { members } = deployed;
  const { primary, standbys } = await settle(deployed, "the cluster is settled before a rolling restart");
  // The synchronous standby last, so that Patroni need not choose another one twice.
  for (const standby of standbys.toReversed()) await restartMember(deployed, standby);
  const now = await settle(deployed, "the cluster is settled before the primary restarts");
  await switchOver(members, primary, now.standbys[0] ?? primary);
  await settle(deployed, "the cluster is settled after the switchover");
  return restartMember(deployed, primary);
}

/** Deletes the pod, and waits until another of its name streams. */
export async function restartMember(deployed: Deployed, { name, uid }: MemberPod): Promise<Settled> {
  const { kubectl, members, form } = deployed;
  await kubectl.run(["delete", "pod", name, `--namespace=${members.namespace}`]);
  return until(
    `${name} is back`,
    BACK_WITHIN_MS,
    async () => {
      const settled = await members.settled(form.synchronous);
      const isOld = settled && [settled.primary, ...settled.standbys].some((pod) => pod.uid === uid);
      return isOld ? undefined : settled;
    },
    1_000,
  );
}
