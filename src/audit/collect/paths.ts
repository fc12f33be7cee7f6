import type { AuditedCluster, AuditedMember } from "../clusters.ts";
import type { Dcs } from "../dcs.ts";
import type { MemberAnswers } from "../snapshot.ts";
import { WELL } from "../statement.ts";
import { synchronousMode } from "../synchronous.ts";

export type Path = Extract<keyof MemberAnswers, "patroni" | "cluster" | "config">;

/**
 * What a member is asked: with a DCS that is not Kubernetes everything, for no object tells it. With Kubernetes only what checks will
 * want to know beyond the objects: where two members claim to lead, which of them does; of a standby that is behind, since when; of
 * the leader, what it sees of standbys that are not well, or that it should wait for.
 */
export function pathsFor(member: AuditedMember, cluster: AuditedCluster, dcs: Dcs): readonly Path[] {
  if (cluster.settings.leaderObject === undefined) return ["patroni", "cluster", "config"];
  const { name } = member.facts;
  const isLeader = "value" in dcs.leader && dcs.leader.value === name;
  const wanted =
    isRival(member, cluster) ||
    isBehind(name, dcs) ||
    (isLeader && (isSynchronous(dcs) || cluster.members.some(({ facts }) => isUnwell(facts.name, dcs))));
  return wanted ? ["patroni"] : [];
}

const isRival = ({ statement }: AuditedMember, { members }: AuditedCluster): boolean =>
  statement?.leads === true && members.filter((member) => member.statement?.leads).length > 1;

function isBehind(name: string, dcs: Dcs): boolean {
  const said = dcs.statement(name);
  return "value" in said && (said.value.lagBytes ?? 0) > 0;
}

function isUnwell(name: string, dcs: Dcs): boolean {
  const said = dcs.statement(name);
  if ("unseen" in said) return false;
  const { state, streaming } = said.value;
  return isBehind(name, dcs) || streaming === false || (state !== undefined && !WELL.has(state));
}

const isSynchronous = (dcs: Dcs): boolean => "value" in dcs.config && synchronousMode(dcs) !== undefined;
