import { promotionsIn } from "./postgres-log.ts";
import { goneAt, type SliceMoment, shownAt, twoAtOnce } from "./slice-record.ts";
import {
  type Acknowledged,
  countOutcomes,
  fromFormerServers,
  isAcknowledged,
  longestGap,
  lostNumbers,
  type Outcomes,
  type Write,
} from "./writes.ts";

/** All that was recorded around one fault. Times are milliseconds since 1970. */
export interface FaultRecord {
  readonly struckMs: number;
  readonly writes: readonly Write[];
  /** Numbers of this client that the primary holds at the end. */
  readonly stored: ReadonlySet<number>;
  /** From before the fault to the end. */
  readonly slice: readonly SliceMoment[];
  /** Addresses of the primary before and after. */
  readonly formerIp: string;
  readonly currentIp: string;
  /** The log of the primary afterwards, since the fault, with timestamps. */
  readonly primaryLog: string;
}

/** What a fault did to the users, and how fast it was over. Durations in milliseconds; undefined where it did not happen. */
export interface FaultOutcome {
  readonly outcomes: Outcomes;
  /** The longest time without an acknowledged write. */
  readonly unavailableMs: number | undefined;
  /** From the fault to PostgreSQL taking writes on the new primary: Patroni's part. */
  readonly struckToPromotedMs: number | undefined;
  /** From the fault until the former address stood in the slice no more. */
  readonly struckToRemovedMs: number | undefined;
  readonly promotedToPublishedMs: number | undefined;
  readonly publishedToWrittenMs: number | undefined;
  readonly lost: readonly number[];
  readonly fromFormer: readonly Acknowledged[];
  readonly twoAtOnce: readonly SliceMoment[];
}

export function outcomeOf(record: FaultRecord): FaultOutcome {
  const { struckMs, writes, stored, slice, formerIp, currentIp, primaryLog } = record;
  const moved = formerIp !== currentIp;
  const promotedMs = promotionsIn(primaryLog).findLast(({ toldMs }) => toldMs >= struckMs)?.promotedMs;
  const publishedMs = moved ? shownAt(slice, currentIp, struckMs) : undefined;
  const writtenMs = writes.find(
    (write) => isAcknowledged(write) && moved && write.server === currentIp,
  )?.endedMs;
  return {
    outcomes: countOutcomes(writes),
    unavailableMs: longestGap(writes)?.ms,
    struckToPromotedMs: between(struckMs, promotedMs),
    struckToRemovedMs: between(struckMs, goneAt(slice, formerIp, struckMs)),
    promotedToPublishedMs: between(promotedMs, publishedMs),
    publishedToWrittenMs: between(publishedMs, writtenMs),
    lost: lostNumbers(writes, stored),
    fromFormer: fromFormerServers(writes),
    twoAtOnce: twoAtOnce(slice),
  };
}

const between = (fromMs: number | undefined, toMs: number | undefined): number | undefined =>
  fromMs === undefined || toMs === undefined ? undefined : toMs - fromMs;
