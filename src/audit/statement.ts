import { asObject, asString, at, type JsonObject } from "../json/value.ts";

/** What Patroni says of a member, in the pod's annotation `status` or in an entry of `GET /cluster`. */
export interface MemberStatement {
  /** `postgres://host:port/…`, as the other members use it. */
  readonly connUrl: string | undefined;
  readonly apiUrl: string | undefined;
  /** `running`, `streaming`, `starting`, `stopped`, `crashed`, … */
  readonly state: string | undefined;
  readonly role: string | undefined;
  readonly timeline: number | undefined;
  /** `streaming`, `in archive recovery`; undefined on a primary, and with Patroni before 3.0.4. */
  readonly replicationState: string | undefined;
  readonly pendingRestart: boolean;
  /** Patroni's version. */
  readonly version: string | undefined;
}

/** Patroni writes this annotation on its own pod, with Kubernetes as DCS (ha.py, `touch_member`). */
export function statementOf(pod: JsonObject): MemberStatement | undefined {
  const text = asString(at(pod, "metadata", "annotations", "status"));
  if (text === undefined) return undefined;
  try {
    const status = asObject(JSON.parse(text));
    return status && readStatement(status);
  } catch {
    return undefined;
  }
}

function readStatement(status: JsonObject): MemberStatement {
  const { timeline } = status;
  return {
    connUrl: asString(status.conn_url),
    apiUrl: asString(status.api_url),
    state: asString(status.state),
    role: asString(status.role),
    timeline: typeof timeline === "number" ? timeline : undefined,
    replicationState: asString(status.replication_state),
    pendingRestart: status.pending_restart === true,
    version: asString(status.version),
  };
}
