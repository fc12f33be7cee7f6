import { asObject, asString, type JsonObject } from "../../json/value.ts";
import { metadataOf } from "../facts/slim.ts";
import { microTime } from "../micro-time.ts";

/** Milliseconds. The same three times as Kubernetes' own components have. */
export interface LeaseTimes {
  /** A holder that has not renewed for this long may be replaced. */
  readonly durationMs: number;
  /** A holder that could not renew for this long stops working. Shorter than the duration: it ends before another begins. */
  readonly deadlineMs: number;
  /** Between tries. */
  readonly retryMs: number;
}

export const LEASE_TIMES: LeaseTimes = { durationMs: 15_000, deadlineMs: 10_000, retryMs: 2_000 };

/** What a Lease says of its holder. */
export interface LeaseRecord {
  /** Empty where nobody holds it. */
  readonly holder: string;
  readonly durationMs: number;
}

export function leaseRecord(lease: JsonObject): LeaseRecord {
  const spec = asObject(lease.spec) ?? {};
  const seconds = typeof spec.leaseDurationSeconds === "number" ? spec.leaseDurationSeconds : 0;
  return { holder: asString(spec.holderIdentity) ?? "", durationMs: seconds * 1000 };
}

/**
 * Whether a Lease may be taken. The holder's clock is never compared with ours: a Lease has expired when it has not changed for
 * its duration since we first saw it so.
 *
 * @param unchangedForMs on our own monotonic clock
 */
export function mayTake(record: LeaseRecord, identity: string, unchangedForMs: number): boolean {
  return record.holder === "" || record.holder === identity || unchangedForMs >= record.durationMs;
}

/** The Lease with us as its holder; all else as it was read. @param lease undefined where there is none yet */
export function heldBy(
  lease: JsonObject,
  identity: string,
  { durationMs }: LeaseTimes,
  now: Date,
): JsonObject {
  const spec = asObject(lease.spec) ?? {};
  const isOurs = spec.holderIdentity === identity;
  const transitions = typeof spec.leaseTransitions === "number" ? spec.leaseTransitions : 0;
  return {
    ...lease,
    spec: {
      ...spec,
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(durationMs / 1000),
      renewTime: microTime(now),
      ...(isOurs
        ? {}
        : {
            acquireTime: microTime(now),
            leaseTransitions: metadataOf(lease).resourceVersion === undefined ? 0 : transitions + 1,
          }),
    },
  };
}

/** The Lease let go: the next one need not wait. */
export function released(lease: JsonObject, now: Date): JsonObject {
  const spec = asObject(lease.spec) ?? {};
  return {
    ...lease,
    spec: { ...spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: microTime(now) },
  };
}
