import { asString, at, type JsonObject, objectsIn } from "../json/value.ts";
import type { AuditedCluster } from "./clusters.ts";
import type { Seen } from "./need.ts";
import { need, ONLY_LIVE } from "./need.ts";
import type { MemberAnswers, Snapshot } from "./snapshot.ts";
import { type MemberStatement, parsed, type Replay, replayIn, statementIn } from "./statement.ts";

/**
 * What Patroni's store says of a cluster: with Kubernetes as DCS from its own objects, with any other from what a member's REST API
 * answers.
 */
export interface Dcs {
  /** The dynamic configuration. */
  readonly config: Seen<JsonObject>;
  /** The name of the member that holds the leader lock; undefined where nobody does. */
  readonly leader: Seen<string | undefined>;
  /** Standbys that are synchronous now: who may lead next. */
  readonly synchronous: Seen<readonly string[]>;
  /** What the leader's PostgreSQL sees of the standbys that are connected to it, by member. */
  readonly senders: Seen<ReadonlyMap<string, Sender>>;
  /** By member. */
  statement(name: string): Seen<MemberStatement>;
}

/** A row of `pg_stat_replication`, whose application names are those of the members (Patroni's config.py, `primary_conninfo`). */
export interface Sender {
  /** `streaming`, `catchup`, `startup`, `backup`, … */
  readonly state: string;
  /** `async`, `potential`, `sync` or `quorum`. */
  readonly syncState: string;
}

export function dcsOf(cluster: AuditedCluster, snapshot: Snapshot): Dcs {
  return cluster.settings.leaderObject === undefined
    ? fromMembers(cluster, snapshot)
    : fromObjects(cluster, snapshot, cluster.settings.leaderObject);
}

function fromObjects(
  { namespace, scope, members }: AuditedCluster,
  snapshot: Snapshot,
  leaderObject: string,
): Dcs {
  const [resource, leaderName = ""] = leaderObject.split("/");
  const kind = resource === "endpoints" ? "Endpoints" : "ConfigMap";
  const annotations = (name: string): Seen<unknown> => {
    // A manifest of one says nothing of what Patroni writes there.
    const objects = snapshot.live ? snapshot.objects(kind, namespace) : ONLY_LIVE;
    if ("unseen" in objects) return objects;
    const found = objects.value.find(({ metadata }) => at(metadata, "name") === name);
    return found === undefined
      ? { unseen: `there is no ${kind} ${namespace}/${name}` }
      : { value: at(found, "metadata", "annotations") ?? {} };
  };
  const config = mapped(annotations(`${scope}-config`), (all) => parsed(asString(at(all, "config"))));
  const leader = annotations(leaderName);
  /** Patroni writes the end of the leader's WAL each time that it renews the lock. */
  const written = "value" in leader ? Number(asString(at(leader.value, "optime")) ?? Number.NaN) : Number.NaN;
  /** A member that was asked, was asked after these objects were read: what it has not replayed then, it is behind. */
  const statement = (name: string): MemberStatement | undefined => {
    const said = members.find(({ facts }) => facts.name === name)?.statement;
    if (said?.replayed === undefined || Number.isNaN(written)) return said;
    const { position = said.replayed, commitAge } = replayOf(snapshot, namespace, name);
    return { ...said, lagBytes: Math.max(0, written - position), commitAge };
  };
  const leads = mapped(leader, (all) => asString(at(all, "leader")) || undefined);
  return {
    config: defined(config, `${kind} ${scope}-config holds no configuration`),
    leader: leads,
    synchronous: mapped(annotations(`${scope}-sync`), (all) => namesIn(asString(at(all, "sync_standby")))),
    senders: sendersOf(snapshot, namespace, leads),
    statement: (name) => defined({ value: statement(name) }, `${name} says nothing of itself`),
  };
}

function fromMembers({ namespace, members }: AuditedCluster, snapshot: Snapshot): Dcs {
  const ask = <Key extends keyof MemberAnswers>(key: Key): Seen<NonNullable<MemberAnswers[Key]>> => {
    const answers = members.map(({ facts }) => snapshot.answers(namespace, facts.name));
    for (const answer of answers) {
      const value = "value" in answer ? answer.value[key] : undefined;
      if (value !== undefined) return { value };
    }
    const why = answers.flatMap((answer) => ("unseen" in answer ? answer.unseen : []))[0];
    return { unseen: why ?? `no member answers GET /${key}` };
  };
  const entries = mapped(ask("cluster"), (cluster) => objectsIn(cluster.members));
  const leading = new Set(["leader", "standby_leader"]);
  const leader = mapped(entries, (all) => asString(all.find(({ role }) => leading.has(String(role)))?.name));
  return {
    config: ask("config"),
    leader,
    synchronous: mapped(entries, (all) =>
      all
        .filter(({ role }) => role === "sync_standby" || role === "quorum_standby")
        .map(({ name }) => String(name)),
    ),
    senders: sendersOf(snapshot, namespace, leader),
    statement: (name) =>
      defined(
        mapped(entries, (all) => {
          const entry = all.find((each) => each.name === name);
          return entry && { ...statementIn(entry), commitAge: replayOf(snapshot, namespace, name).commitAge };
        }),
        `GET /cluster does not name ${name}`,
      ),
  };
}

function replayOf(snapshot: Snapshot, namespace: string, name: string): Partial<Replay> {
  const answers = snapshot.answers(namespace, name);
  if ("unseen" in answers || answers.value.patroni === undefined) return {};
  return replayIn(answers.value.patroni, answers.value.patroniDate);
}

function sendersOf(
  snapshot: Snapshot,
  namespace: string,
  leader: Seen<string | undefined>,
): Seen<ReadonlyMap<string, Sender>> {
  if ("unseen" in leader) return leader;
  if (leader.value === undefined) return { unseen: "there is no leader" };
  const patroni = defined(
    mapped(snapshot.answers(namespace, leader.value), ({ patroni }) => patroni),
    `${leader.value} was not asked`,
  );
  if ("unseen" in patroni) return patroni;
  // Patroni leaves the list out where nobody is connected, and where PostgreSQL does not answer.
  if (patroni.value.state !== "running") return { unseen: `PostgreSQL of ${leader.value} does not answer` };
  const senders = objectsIn(patroni.value.replication).map(
    ({ application_name: name, state, sync_state }) =>
      [String(name), { state: String(state), syncState: String(sync_state) }] as const,
  );
  // Of several connections of one member, one that streams counts.
  return { value: new Map(senders.sort(([, { state }]) => (state === "streaming" ? 1 : -1))) };
}

const namesIn = (list: string | undefined): string[] =>
  (list ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

function mapped<Value, Result>(seen: Seen<Value>, change: (value: Value) => Result): Seen<Result> {
  return "unseen" in seen ? seen : { value: change(seen.value) };
}

function defined<Value>(seen: Seen<Value | undefined>, why: string): Seen<Value> {
  if ("unseen" in seen) return seen;
  return seen.value === undefined ? { unseen: why } : { value: seen.value };
}

/** The value at a dotted path of the dynamic configuration. */
export const setting = (dcs: Dcs, ...path: readonly string[]): unknown => at(need(dcs.config), ...path);

/** As Patroni reads a flag of its configuration. */
export const isOn = (value: unknown): boolean => /^(true|on|yes|1)$/i.test(String(value));
