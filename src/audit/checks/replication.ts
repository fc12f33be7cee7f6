import { type Check, forCluster, forMembers, type Seeing } from "../check.ts";
import { clusterRef } from "../clusters.ts";
import { isOn, setting } from "../dcs.ts";
import { refTo } from "../finding.ts";
import { leaderSees } from "../leader-sees.ts";
import { need, type Seen } from "../need.ts";
import type { MemberAnswers } from "../snapshot.ts";
import { WELL } from "../statement.ts";
import { synchronousMode, waitedFor } from "../synchronous.ts";
import { replicationRules } from "./replication-rules.ts";

/** Patroni's own default of `maximum_lag_on_failover`: who is further behind is no candidate. */
const MAXIMUM_LAG_BYTES = 1024 * 1024;

/** A standby that replays at all has caught up with less. */
const MAXIMUM_LAG_SECONDS = 300;

const told = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined).join("; ");

const states = forMembers(["member-state"], ({ pod, facts: { name } }, _cluster, { dcs }) => {
  const { state } = need(dcs.statement(name));
  if (state === undefined || WELL.has(state)) return [];
  const evidence = told(`PostgreSQL is ${state}`, leaderSees(name, dcs));
  return [{ code: "member-state", object: refTo(pod, "Pod"), evidence }];
});

const streaming = forMembers(["standby-not-streaming"], ({ pod, facts: { name } }, _cluster, { dcs }) => {
  const { streaming, state } = need(dcs.statement(name));
  if (streaming !== false || !WELL.has(state ?? "")) return [];
  const said = state === "in archive recovery" ? "it replays the archive" : "no WAL receiver streams";
  const evidence = told(`PostgreSQL is ${state}: ${said}`, leaderSees(name, dcs));
  return [{ code: "standby-not-streaming", object: refTo(pod, "Pod"), evidence }];
});

/**
 * Who has replayed all is not behind, however long ago the last commit was. Of who has not, the age of the newest replayed commit is
 * the most that it can be behind in time: it is less where the leader committed nothing for a while.
 */
const lag = forMembers(["replication-lag"], function* (member, cluster, { dcs, snapshot }): Seeing {
  const { name } = member.facts;
  const { lagBytes, commitAge } = need(dcs.statement(name));
  if (lagBytes === undefined || lagBytes === 0) return;
  const most = Number(setting(dcs, "maximum_lag_on_failover") ?? MAXIMUM_LAG_BYTES);
  const unasked = whyUnasked(snapshot.answers(cluster.namespace, name));
  if (lagBytes <= most && (commitAge ?? 0) <= MAXIMUM_LAG_SECONDS) {
    if (unasked !== undefined) yield { unseen: `for how long ${name} is behind is not known: ${unasked}` };
    return;
  }
  const seconds =
    commitAge === undefined
      ? `for how long is not known: ${unasked ?? "it has replayed no commit since it started"}`
      : `the newest commit that it has replayed is ${commitAge} seconds old`;
  const evidence = told(
    `${lagBytes} bytes behind its leader`,
    lagBytes > most ? `more than ${most} make it no candidate` : undefined,
    seconds,
    leaderSees(name, dcs),
  );
  yield { code: "replication-lag", object: refTo(member.pod, "Pod"), evidence };
});

function whyUnasked(answers: Seen<MemberAnswers>): string | undefined {
  if ("unseen" in answers) return answers.unseen;
  return answers.value.patroni === undefined ? "it does not answer GET /patroni" : undefined;
}

const timelines = forMembers(["timelines-differ"], ({ pod, facts: { name } }, _cluster, { dcs }) => {
  const leader = need(dcs.leader);
  if (leader === undefined || leader === name) return [];
  const [ours, theirs] = [name, leader].map((each) => need(dcs.statement(each)).timeline);
  if (ours === undefined || theirs === undefined || ours === theirs) return [];
  const evidence = told(`timeline ${ours}, and its leader's is ${theirs}`, leaderSees(name, dcs));
  return [{ code: "timelines-differ", object: refTo(pod, "Pod"), evidence }];
});

const pending = forMembers(["pending-restart"], ({ pod, facts }, _cluster, { dcs }) => {
  if (!need(dcs.statement(facts.name)).pendingRestart) return [];
  return [{ code: "pending-restart", object: refTo(pod, "Pod"), evidence: "Patroni says pending_restart" }];
});

const paused = forCluster(["paused"], (cluster, { dcs }) =>
  isOn(setting(dcs, "pause"))
    ? [
        {
          code: "paused",
          object: clusterRef(cluster),
          evidence: "the dynamic configuration says pause: true",
        },
      ]
    : [],
);

/** Both must hold: Patroni promotes only whom it calls synchronous, and PostgreSQL waits only for whom it calls so. */
const synchronous = forCluster(
  ["synchronous-not-in-force", "synchronous-nodes-short"],
  function* (cluster, { dcs }): Seeing {
    const wanted = synchronousMode(dcs);
    if (wanted === undefined || cluster.members.length < 2) return;
    const named = need(dcs.synchronous);
    const { senders } = dcs;
    if (named.length > 0 && "unseen" in senders)
      yield { unseen: `whether PostgreSQL waits for ${named.join(", ")} is not known: ${senders.unseen}` };
    const inForce = "unseen" in senders ? named : waitedFor(named, senders.value);
    if (inForce.length >= Math.max(1, wanted.nodes)) return;
    const object = clusterRef(cluster);
    const evidence = told(
      `synchronous_mode: ${wanted.mode}${wanted.strict ? ", strict" : ""}, with ${wanted.nodes}`,
      named.length === 0 ? "Patroni names nobody" : `Patroni names ${named.join(", ")}`,
      ...cluster.members.map(({ facts: { name } }) => {
        const seen = leaderSees(name, dcs);
        return seen && `${name}: ${seen}`;
      }),
    );
    const code = inForce.length === 0 ? "synchronous-not-in-force" : "synchronous-nodes-short";
    yield { code, object, evidence };
  },
);

const failsafe = forCluster(["failsafe-off"], (cluster, { dcs }) => {
  if (cluster.settings.leaderObject !== undefined) return [];
  if (isOn(setting(dcs, "failsafe_mode"))) return [];
  return [
    {
      code: "failsafe-off",
      object: clusterRef(cluster),
      evidence: "failsafe_mode is not set, and the DCS is not Kubernetes",
    },
  ];
});

export const REPLICATION: readonly Check[] = [
  states,
  streaming,
  lag,
  timelines,
  pending,
  paused,
  synchronous,
  failsafe,
  replicationRules,
];
