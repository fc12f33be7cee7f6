import { at, type JsonObject, objectsIn } from "../../json/value.ts";
import { findPatroniContainer } from "../../patroni/container.ts";
import { knownEnvValue } from "../../patroni/env.ts";
import { type Check, forCluster, forMembers, type Seeing } from "../check.ts";
import type { AuditedCluster, AuditedMember } from "../clusters.ts";
import { dcsOf, isOn, setting } from "../dcs.ts";
import { type ObjectRef, refTo } from "../finding.ts";
import { need } from "../need.ts";
import { replicationVerdict } from "../pg-hba.ts";

/** Patroni's own default of `maximum_lag_on_failover`: who is further behind is no candidate. */
const MAXIMUM_LAG_BYTES = 1024 * 1024;

const WELL = new Set(["running", "streaming", "in archive recovery"]);

const clusterRef = ({ namespace, scope, workloads, members }: AuditedCluster): ObjectRef => {
  const [workload] = workloads;
  const [member] = members;
  if (workload !== undefined) return refTo(workload.statefulSet, "StatefulSet");
  return member === undefined ? { kind: "", namespace, name: scope } : refTo(member.pod, "Pod");
};

const states = forMembers(["member-state"], ({ pod, facts }, cluster, { snapshot }) => {
  const { state } = need(dcsOf(cluster, snapshot).statement(facts.name));
  if (state === undefined || WELL.has(state)) return [];
  return [{ code: "member-state", object: refTo(pod, "Pod"), evidence: `PostgreSQL is ${state}` }];
});

const streaming = forMembers(["standby-not-streaming"], ({ pod, facts }, cluster, { snapshot }) => {
  const { streaming, state } = need(dcsOf(cluster, snapshot).statement(facts.name));
  if (streaming !== false || !WELL.has(state ?? "")) return [];
  const evidence = state === "in archive recovery" ? "it replays the archive" : "no WAL receiver streams";
  return [{ code: "standby-not-streaming", object: refTo(pod, "Pod"), evidence }];
});

const lag = forMembers(["replication-lag"], function* ({ pod, facts }, cluster, { snapshot }): Seeing {
  const dcs = dcsOf(cluster, snapshot);
  const { lagBytes } = need(dcs.statement(facts.name));
  if (lagBytes === undefined) return;
  const most = Number(setting(dcs, "maximum_lag_on_failover") ?? MAXIMUM_LAG_BYTES);
  if (lagBytes <= most) return;
  const evidence = `${lagBytes} bytes behind its leader; more than ${most} make it no candidate`;
  yield { code: "replication-lag", object: refTo(pod, "Pod"), evidence };
});

const timelines = forMembers(["timelines-differ"], ({ pod, facts }, cluster, { snapshot }) => {
  const dcs = dcsOf(cluster, snapshot);
  const leader = need(dcs.leader);
  if (leader === undefined || leader === facts.name) return [];
  const [ours, theirs] = [facts.name, leader].map((name) => need(dcs.statement(name)).timeline);
  if (ours === undefined || theirs === undefined || ours === theirs) return [];
  return [
    {
      code: "timelines-differ",
      object: refTo(pod, "Pod"),
      evidence: `timeline ${ours}, and its leader's is ${theirs}`,
    },
  ];
});

const pending = forMembers(["pending-restart"], ({ pod, facts }, cluster, { snapshot }) => {
  if (!need(dcsOf(cluster, snapshot).statement(facts.name)).pendingRestart) return [];
  return [{ code: "pending-restart", object: refTo(pod, "Pod"), evidence: "Patroni says pending_restart" }];
});

const paused = forCluster(["paused"], (cluster, { snapshot }) =>
  isOn(setting(dcsOf(cluster, snapshot), "pause"))
    ? [
        {
          code: "paused",
          object: clusterRef(cluster),
          evidence: "the dynamic configuration says pause: true",
        },
      ]
    : [],
);

const synchronous = forCluster(["synchronous-not-in-force"], (cluster, { snapshot }) => {
  const dcs = dcsOf(cluster, snapshot);
  const mode = setting(dcs, "synchronous_mode");
  if (!isOn(mode) && String(mode).toLowerCase() !== "quorum") return [];
  if (cluster.members.length < 2 || need(dcs.synchronous).length > 0) return [];
  return [
    {
      code: "synchronous-not-in-force",
      object: clusterRef(cluster),
      evidence: `synchronous_mode: ${String(mode)}, and no member is synchronous`,
    },
  ];
});

const failsafe = forCluster(["failsafe-off"], (cluster, { snapshot }) => {
  if (cluster.settings.leaderObject !== undefined) return [];
  if (isOn(setting(dcsOf(cluster, snapshot), "failsafe_mode"))) return [];
  return [
    {
      code: "failsafe-off",
      object: clusterRef(cluster),
      evidence: "failsafe_mode is not set, and the DCS is not Kubernetes",
    },
  ];
});

/** Each member must let each other in: any of them may lead next. Who the DCS lets in, every member does. */
const hba = forCluster(["pg-hba-replication"], function* (cluster, { snapshot }): Seeing {
  const lines = setting(dcsOf(cluster, snapshot), "postgresql", "pg_hba");
  if (!Array.isArray(lines)) {
    yield { unseen: "pg_hba is not in the dynamic configuration" };
    return;
  }
  for (const member of cluster.members) {
    const { ip } = member.facts;
    if (ip === undefined) continue;
    const user = replicationUser(member);
    const verdict = replicationVerdict(lines.map(String), { user, ip });
    const who = `${user ?? "a replication user"} from ${ip} (${member.facts.name})`;
    if (verdict === "unknown") yield { unseen: `whether pg_hba lets in ${who} cannot be told` };
    if (verdict === "no-rule" || verdict === "rejected") {
      const evidence = verdict === "rejected" ? `a rule rejects ${who}` : `no rule fits ${who}`;
      yield { code: "pg-hba-replication", object: clusterRef(cluster), field: "postgresql.pg_hba", evidence };
      return;
    }
  }
});

/** Undefined where the pod itself does not tell it. */
function replicationUser({ pod }: AuditedMember): string | undefined {
  const containers = objectsIn(at(pod, "spec", "containers"));
  const found = findPatroniContainer(containers);
  const container: JsonObject | undefined = found.kind === "found" ? containers[found.index] : undefined;
  if (container === undefined || found.kind !== "found") return undefined;
  const named = knownEnvValue(pod, container, "PATRONI_REPLICATION_USERNAME");
  return (
    named ??
    (found.flavour === "spilo" ? (knownEnvValue(pod, container, "PGUSER_STANDBY") ?? "standby") : undefined)
  );
}

export const REPLICATION: readonly Check[] = [
  states,
  streaming,
  lag,
  timelines,
  pending,
  paused,
  synchronous,
  failsafe,
  hba,
];
