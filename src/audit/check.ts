import type { FindingCode } from "../contract/findings.ts";
import type { ClusterView } from "../controller/view.ts";
import type { InjectionSettings, Surroundings } from "../injection/settings.ts";
import type { AuditedCluster, AuditedMember } from "./clusters.ts";
import type { Dcs } from "./dcs.ts";
import type { Finding } from "./finding.ts";
import { NotSeen } from "./need.ts";
import type { Terrain } from "./network/terrain.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Trust } from "./webhook/trust.ts";

/** What every check is given, whatever its cluster. */
export interface AuditGround {
  readonly snapshot: Snapshot;
  readonly settings: InjectionSettings;
  readonly surroundings: Surroundings;
  readonly clusters: readonly AuditedCluster[];
  readonly terrain: Terrain;
  readonly trust: Trust;
}

/** What every check is given beside its cluster. */
export interface AuditContext extends AuditGround {
  readonly dcs: Dcs;
  /** As the controller would see the cluster. */
  view(): ClusterView;
}

/** Something that a check had to know, and that could not be looked at. */
export interface Unseen {
  readonly codes: readonly FindingCode[];
  readonly why: string;
}

export interface Outcome {
  readonly findings: readonly Finding[];
  readonly unseen: readonly Unseen[];
}

/** Looks at one cluster. Pure. */
export interface Check {
  readonly codes: readonly FindingCode[];
  run(cluster: AuditedCluster, context: AuditContext): Outcome;
}

/** A finding, or why something beside it could not be looked at. */
export type Seeing = Iterable<Finding | { readonly unseen: string }>;

type Look = (cluster: AuditedCluster, context: AuditContext) => Seeing;
type MemberLook = (member: AuditedMember, cluster: AuditedCluster, context: AuditContext) => Seeing;

/** A check that looks once at a cluster. */
export const forCluster = (codes: readonly FindingCode[], look: Look): Check => ({
  codes,
  run: (cluster, context) => outcomeOf(codes, [() => look(cluster, context)]),
});

/** A check that looks at every member by itself: what cannot be seen of one does not hide the others. */
export const forMembers = (codes: readonly FindingCode[], look: MemberLook): Check => ({
  codes,
  run: (cluster, context) =>
    outcomeOf(
      codes,
      cluster.members.map((member) => () => look(member, cluster, context)),
    ),
});

function outcomeOf(codes: readonly FindingCode[], looks: readonly (() => Seeing)[]): Outcome {
  const findings: Finding[] = [];
  const reasons = new Set<string>();
  for (const look of looks) {
    try {
      for (const seen of look()) {
        if ("unseen" in seen) reasons.add(seen.unseen);
        else findings.push(seen);
      }
    } catch (error) {
      if (!(error instanceof NotSeen)) throw error;
      reasons.add(error.message);
    }
  }
  return { findings, unseen: [...reasons].map((why) => ({ codes, why })) };
}
