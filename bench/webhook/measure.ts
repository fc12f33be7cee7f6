import { type Driven, drive, type Load, withConnections } from "../load/drive.ts";
import { percentile } from "../statistics.ts";
import { type Usage, usageOf } from "../usage.ts";
import type { Contender } from "./contender.ts";

/** The figures of one measurement; undefined where this system does not tell. */
export interface Figures {
  readonly perSecond: number;
  /** Latencies in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Microseconds of the server's CPU time for each request, in all its threads. */
  readonly cpuMicros: number | undefined;
  /** The server's resident memory at the end, in MB. */
  readonly residentMb: number | undefined;
  /** Percent of the time in which the server had to wait for its core, because others had it. */
  readonly waitedPercent: number | undefined;
  /** Percent of the time in which the client computed: near 100 it is the client that limits a closed loop. */
  readonly clientBusyPercent: number;
  /** Of a paced load: by how many milliseconds the client itself was late, 99th percentile. */
  readonly clientLateP99: number | undefined;
}

/** Connections are opened first, and closed after. */
export function measure(contender: Contender, body: Buffer, load: Load, seconds: number): Promise<Figures> {
  return withConnections(contender.endpoint, load.connections, async (connections) => {
    const before = usageOf(contender.pid);
    const own = process.cpuUsage();
    const driven = await drive(connections, { endpoint: contender.endpoint, body }, load, seconds);
    const { user, system } = process.cpuUsage(own);
    return figures(driven, before, usageOf(contender.pid), (user + system) / 1e6);
  });
}

function figures(
  { latencies, lateness, elapsedSeconds }: Driven,
  before: Usage | undefined,
  after: Usage | undefined,
  clientSeconds: number,
): Figures {
  const sorted = latencies.sorted();
  const used = before === undefined || after === undefined ? undefined : difference(before, after);
  return {
    perSecond: sorted.length / elapsedSeconds,
    p50: percentile(sorted, 50),
    p99: percentile(sorted, 99),
    max: percentile(sorted, 100),
    cpuMicros: used && (used.cpuSeconds / sorted.length) * 1e6,
    residentMb: after && after.residentBytes / 1e6,
    waitedPercent: used && (used.waitedSeconds / elapsedSeconds) * 100,
    clientBusyPercent: (clientSeconds / elapsedSeconds) * 100,
    clientLateP99: lateness.count === 0 ? undefined : percentile(lateness.sorted(), 99),
  };
}

const difference = (before: Usage, after: Usage) => ({
  cpuSeconds: after.cpuSeconds - before.cpuSeconds,
  waitedSeconds: after.waitedSeconds - before.waitedSeconds,
});
