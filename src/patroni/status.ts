import { asObject, asString, type JsonObject } from "../json/value.ts";

/**
 * What a member says of itself: the answer to `GET /primary` (or any other health path of Patroni's REST API).
 * Fields that a version does not send, or sends in another shape, are undefined.
 */
export interface MemberStatus {
  /** The HTTP status: 200 while this member holds an unexpired lease as a primary (Patroni's api.py). */
  readonly code: number;
  readonly state: string | undefined;
  /** `master` up to 3.x, `primary` from 4.0 on; `replica`, `standby_leader`, `demoted`, `uninitialized`, … */
  readonly role: string | undefined;
  readonly timeline: number | undefined;
  /** `database_system_identifier`: names the cluster, not the node. A string, for it exceeds 2^53. */
  readonly system: string | undefined;
  readonly scope: string | undefined;
  /** From 3.2 on. */
  readonly name: string | undefined;
  readonly paused: boolean;
  /** The member's view of the DCS has expired, or names no leader. */
  readonly unlocked: boolean;
  readonly xlog: {
    /** The end of the WAL on a primary, in bytes. */
    readonly location: number | undefined;
    /** On a standby, in bytes. */
    readonly received: number | undefined;
    readonly replayed: number | undefined;
  };
  /** A standby's WAL receiver streams. Undefined on a primary, and from Patroni before 3.0.4, which does not say. */
  readonly streaming: boolean | undefined;
  readonly version: string | undefined;
}

/** Reads an answer; a body that is not an object of the expected shape gives a status with nothing but its code. */
export function readStatus(code: number, body: unknown): MemberStatus {
  const answer = asObject(body) ?? {};
  const patroni = asObject(answer.patroni) ?? {};
  const xlog = asObject(answer.xlog) ?? {};
  const role = asString(answer.role);
  const version = asString(patroni.version);
  return {
    code,
    state: asString(answer.state),
    role,
    timeline: whole(answer.timeline),
    system: asString(answer.database_system_identifier),
    scope: asString(patroni.scope),
    name: asString(patroni.name),
    paused: answer.pause === true,
    unlocked: answer.cluster_unlocked === true,
    xlog: {
      location: whole(xlog.location),
      received: whole(xlog.received_location),
      replayed: whole(xlog.replayed_location),
    },
    streaming: isPrimaryRole(role) || !tellsStreaming(version) ? undefined : isStreaming(answer),
    version,
  };
}

/** `streaming`, `in archive recovery`, or left out where the receiver does not run (postgresql/__init__.py). */
const isStreaming = (answer: JsonObject): boolean => answer.replication_state === "streaming";

/** Patroni 3.0.4 and newer say of a standby whether it streams. */
export function tellsStreaming(version: string | undefined): boolean {
  const [major = 0, minor = 0, patch = 0] = (version ?? "").split(".").map(Number);
  return major > 3 || (major === 3 && (minor > 0 || patch >= 4));
}

/** The role names a primary, in the words of any version. */
export const isPrimaryRole = (role: string | undefined): boolean => role === "primary" || role === "master";

function whole(value: JsonObject[string]): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
