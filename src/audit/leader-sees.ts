import type { Dcs } from "./dcs.ts";

/** What the leader's PostgreSQL sees of a standby, as evidence; undefined of the leader itself. What is not known is said. */
export function leaderSees(name: string, { leader, senders }: Dcs): string | undefined {
  if ("value" in leader && leader.value === name) return undefined;
  if ("unseen" in senders) return `what its leader sees of it is not known: ${senders.unseen}`;
  const sender = senders.value.get(name);
  return sender === undefined
    ? "its leader has no connection of it"
    : `its leader sees it ${sender.state}, sync state ${sender.syncState}`;
}
