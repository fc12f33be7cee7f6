import { asObject, asString } from "../../../src/json/value.ts";

interface Attempt {
  readonly n: number;
  /** When it was begun, and when its end was known: milliseconds since 1970, by the client's clock. */
  readonly sentMs: number;
  readonly endedMs: number;
}

export interface Acknowledged extends Attempt {
  readonly outcome: "acknowledged";
  /** Address of the server that acknowledged it. */
  readonly server: string;
}

/** `before`: no connection, so never sent; `refused` by the server; `unknown`: sent and not answered, so perhaps stored. */
export interface Failed extends Attempt {
  readonly outcome: "before" | "refused" | "unknown";
  readonly error: string;
}

/** What became of one number of the counter client (`client/counter.py` describes the lines). */
export type Write = Acknowledged | Failed;

/** @throws Error on a line that the client does not write */
export function parseWrites(log: string): Write[] {
  return log
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map(parseLine);
}

function parseLine(line: string): Write {
  const { n, sent, ms, server, lost, error } = asObject(JSON.parse(line)) ?? {};
  if (typeof n === "number" && typeof sent === "number" && typeof ms === "number") {
    const attempt = { n, sentMs: sent, endedMs: sent + ms };
    if (typeof server === "string") return { ...attempt, outcome: "acknowledged", server };
    if (lost === "before" || lost === "refused" || lost === "unknown") {
      return { ...attempt, outcome: lost, error: asString(error) ?? "" };
    }
  }
  throw new Error(`not a line of the counter client: ${line}`);
}

export const isAcknowledged = (write: Write): write is Acknowledged => write.outcome === "acknowledged";

/** A time without an acknowledged write, which is what users see of a failure. */
export interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
  readonly ms: number;
}

/**
 * The longest time between two acknowledgements that follow each other, or from the last one to the end of the record. Undefined
 * where nothing was acknowledged.
 */
export function longestGap(writes: readonly Write[]): Gap | undefined {
  const moments = writes.filter(isAcknowledged).map(({ endedMs }) => endedMs);
  const end = writes.at(-1)?.endedMs;
  if (moments.length === 0 || end === undefined) return undefined;
  const gaps = [...moments, end].slice(1).map((toMs, index) => {
    const fromMs = moments[index] ?? toMs;
    return { fromMs, toMs, ms: toMs - fromMs };
  });
  return gaps.reduce((longest, gap) => (gap.ms > longest.ms ? gap : longest));
}

/** Numbers that were acknowledged and are not stored. */
export function lostNumbers(writes: readonly Write[], stored: ReadonlySet<number>): number[] {
  return writes.filter((write) => isAcknowledged(write) && !stored.has(write.n)).map(({ n }) => n);
}

/**
 * Writes that a server acknowledged after another had taken its place. In a record of one failover there must be none: two servers
 * took writes at the same time.
 */
export function fromFormerServers(writes: readonly Write[]): Acknowledged[] {
  const former = new Set<string>();
  const late: Acknowledged[] = [];
  let current: string | undefined;
  for (const write of writes.filter(isAcknowledged)) {
    if (write.server === current) continue;
    if (former.has(write.server)) late.push(write);
    if (current !== undefined) former.add(current);
    former.delete(write.server);
    current = write.server;
  }
  return late;
}

/** The SQLSTATE of a server that takes no writes: a standby, or a primary that was just demoted. */
const READ_ONLY = /^25006 /;

/** How many writes ended in which way; `readOnly` are those of the refused that reached a standby. */
export interface Outcomes {
  readonly acknowledged: number;
  readonly before: number;
  readonly refused: number;
  readonly unknown: number;
  readonly readOnly: number;
}

export function countOutcomes(writes: readonly Write[]): Outcomes {
  const count = (outcome: Write["outcome"]) => writes.filter((write) => write.outcome === outcome).length;
  return {
    acknowledged: count("acknowledged"),
    before: count("before"),
    refused: count("refused"),
    unknown: count("unknown"),
    readOnly: writes.filter((write) => !isAcknowledged(write) && READ_ONLY.test(write.error)).length,
  };
}
