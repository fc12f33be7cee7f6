import { asString, at, type JsonObject, objectsIn } from "../json/value.ts";
import type { AuditedCluster } from "./clusters.ts";
import type { Seen } from "./need.ts";
import { need } from "./need.ts";
import type { MemberAnswers, Snapshot } from "./snapshot.ts";
import { type MemberStatement, parsed, statementIn } from "./statement.ts";

/**
 * What Patroni's store says of a cluster: with Kubernetes as DCS from its own objects, with any other from what a member's REST API
 * answers.
 */
export interface Dcs {
  /** The dynamic configuration. */
  readonly config: Seen<JsonObject>;
  /** The name of the member that holds the leader lock; undefined where nobody does. */
  readonly leader: Seen<string | undefined>;
  /** Standbys that are synchronous now. */
  readonly synchronous: Seen<readonly string[]>;
  /** By member. */
  statement(name: string): Seen<MemberStatement>;
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
    const objects = snapshot.objects(kind, namespace);
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
  const statement = (name: string): MemberStatement | undefined => {
    const said = members.find(({ facts }) => facts.name === name)?.statement;
    if (said?.replayed === undefined || Number.isNaN(written)) return said;
    return { ...said, lagBytes: Math.max(0, written - said.replayed) };
  };
  return {
    config: defined(config, `${kind} ${scope}-config holds no configuration`),
    leader: mapped(leader, (all) => asString(at(all, "leader")) || undefined),
    synchronous: mapped(annotations(`${scope}-sync`), (all) => namesIn(asString(at(all, "sync_standby")))),
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
  return {
    config: ask("config"),
    leader: mapped(entries, (all) => asString(all.find(({ role }) => leading.has(String(role)))?.name)),
    synchronous: mapped(entries, (all) =>
      all
        .filter(({ role }) => role === "sync_standby" || role === "quorum_standby")
        .map(({ name }) => String(name)),
    ),
    statement: (name) =>
      defined(
        mapped(entries, (all) => {
          const entry = all.find((each) => each.name === name);
          return entry && statementIn(entry);
        }),
        `GET /cluster does not name ${name}`,
      ),
  };
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
