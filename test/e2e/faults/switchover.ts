import type { MemberPod, Members } from "../rig/members.ts";

/** Makes `candidate` the primary. Under synchronous replication it must be the synchronous standby. */
export async function switchOver(members: Members, primary: MemberPod, candidate: MemberPod): Promise<void> {
  const names = ["--leader", primary.name, "--candidate", candidate.name];
  const said = await members.patronictl(primary.name, ["switchover", members.scope, ...names, "--force"]);
  if (!said.includes("Successfully")) throw new Error(said); // it ends with 0 also where Patroni refused
}
