import { asObject, asString, at, type JsonObject } from "../json/value.ts";
import { tellsStreaming } from "../patroni/status.ts";

/** What Patroni says of a member. Fields that it does not say are undefined. */
export interface MemberStatement {
  /** The host that the member announces for PostgreSQL. */
  readonly host: string | undefined;
  /** `running`, `streaming`, `in archive recovery`, `starting`, `stopped`, `crashed`, … */
  readonly state: string | undefined;
  readonly leads: boolean;
  readonly timeline: number | undefined;
  /** The member says whether it streams: Patroni 3.0.4 or newer, on a standby. */
  readonly streaming: boolean | undefined;
  readonly pendingRestart: boolean;
  /** How far a standby has replayed, in bytes. */
  readonly replayed: number | undefined;
  /** How many bytes it is behind its leader. */
  readonly lagBytes: number | undefined;
  /** How old the newest commit is that a standby has replayed, in seconds; only a member that was asked tells. */
  readonly commitAge: number | undefined;
}

/** States of a PostgreSQL that runs. */
export const WELL: ReadonlySet<string> = new Set(["running", "streaming", "in archive recovery"]);

const LEADING = new Set(["master", "primary", "leader", "standby_leader"]);
const STANDBY_STATES = new Set(["streaming", "in archive recovery"]);

/** From the annotation that Patroni keeps on its own pod, with Kubernetes as DCS (ha.py, `touch_member`). */
export function statementOf(pod: JsonObject): MemberStatement | undefined {
  const status = parsed(asString(at(pod, "metadata", "annotations", "status")));
  if (status === undefined) return undefined;
  const leads = LEADING.has(asString(status.role) ?? "");
  const replication = asString(status.replication_state);
  return {
    host: hostOfUrl(asString(status.conn_url)),
    state: asString(status.state),
    leads,
    timeline: numberIn(status.timeline),
    streaming: leads || !tellsStreaming(asString(status.version)) ? undefined : replication === "streaming",
    pendingRestart: status.pending_restart === true,
    replayed: leads ? undefined : (numberIn(status.replay_lsn) ?? numberIn(status.xlog_location)),
    lagBytes: undefined,
    commitAge: undefined,
  };
}

/** From an entry of `GET /cluster` (utils.py, `cluster_as_json`), which is where any DCS tells it. */
export function statementIn(entry: JsonObject): MemberStatement {
  const state = asString(entry.state);
  const leads = LEADING.has(asString(entry.role) ?? "");
  return {
    host: asString(entry.host),
    state,
    leads,
    timeline: numberIn(entry.timeline),
    // Up to 3.0.3 a standby that streams is `running`, and one that does not is too.
    streaming: leads || !STANDBY_STATES.has(state ?? "") ? undefined : state === "streaming",
    pendingRestart: entry.pending_restart === true,
    replayed: undefined,
    lagBytes: numberIn(entry.replay_lag) ?? numberIn(entry.lag),
    commitAge: undefined,
  };
}

/** How far a standby has replayed, by its own `GET /patroni` (api.py, `get_postgresql_status`): nothing on a primary. */
export interface Replay {
  /** In bytes. */
  readonly position: number | undefined;
  /** As {@link MemberStatement.commitAge}: undefined also where it has replayed no commit since it started. */
  readonly commitAge: number | undefined;
}

/** @param date the member's clock at that answer */
export function replayIn(patroni: JsonObject, date: Date | undefined): Replay {
  const position = numberIn(at(patroni, "xlog", "replayed_location"));
  const committed = timestampIn(at(patroni, "xlog", "replayed_timestamp"));
  const isKnown = position !== undefined && committed !== undefined && date !== undefined;
  return {
    position,
    // The commit has the leader's clock, and the header counts whole seconds.
    commitAge: isKnown ? Math.max(0, Math.round((date.getTime() - committed) / 1000)) : undefined,
  };
}

/** As Python writes a time with its zone: `2026-01-31 12:34:56.789012+00:00`. Milliseconds since 1970. */
function timestampIn(value: unknown): number | undefined {
  const [, day, time, zone] =
    /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2}(?:\.\d+)?)([+-]\d{2}:\d{2})/.exec(asString(value) ?? "") ??
    [];
  const parsed = day === undefined ? Number.NaN : Date.parse(`${day}T${time}${zone}`);
  return Number.isNaN(parsed) ? undefined : parsed;
}

const numberIn = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined;

/** `postgres://host:port/postgres`; of an IPv6 address without its brackets. */
function hostOfUrl(text: string | undefined): string | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined;
  return new URL(text).hostname.replace(/^\[|\]$/g, "") || undefined;
}

export function parsed(text: string | undefined): JsonObject | undefined {
  if (text === undefined) return undefined;
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}
