import { PGBOUNCER_PORT } from "../../../src/contract/ports.ts";
import { isAcknowledged, longestGap, type Write } from "../analysis/writes.ts";
import { Counter } from "../rig/counter.ts";
import type { Deployed } from "../rig/deploy.ts";
import { until } from "../rig/kubectl.ts";
import type { Settled } from "../rig/members.ts";
import { settle } from "./observation.ts";

const WRITES_AGAIN_WITHIN_MS = 180_000;

/**
 * Changes the primary while a client writes behind each pool, all at the same time.
 *
 * @param pools addresses of pools, by names that are DNS labels
 * @param strike resolves when nothing of the fault is left but its consequences
 * @returns the longest time that the client of each went without an acknowledged write, milliseconds
 */
export async function runBehindPools<Name extends string>(
  deployed: Deployed,
  run: string,
  pools: (before: Settled) => Readonly<Record<Name, string>>,
  strike: (before: Settled) => Promise<void>,
): Promise<Readonly<Record<Name, number>>> {
  const before = await settle(deployed, `the cluster is settled before ${run}`);
  const counters: [Name, Counter][] = [];
  try {
    for (const [name, host] of Object.entries(pools(before)) as [Name, string][])
      counters.push([name, await startCounter(deployed, host, `${run}-${name}`)]);
    const struckMs = Date.now();
    await strike(before);
    const { primary } = await settle(deployed, `the cluster is settled after ${run}`);
    const wroteThere = (write: Write) =>
      isAcknowledged(write) && write.sentMs > struckMs && write.server === primary.ip;
    for (const [name, counter] of counters) {
      const again = async () => (await counter.writes()).some(wroteThere) || undefined;
      await until(`the client of ${name} writes to ${primary.name}`, WRITES_AGAIN_WITHIN_MS, again, 1_000);
    }
    const times = counters.map(async ([name, counter]): Promise<[Name, number]> => {
      return [name, longestGap(await counter.writes())?.ms ?? Number.NaN];
    });
    return Object.fromEntries(await Promise.all(times)) as Record<Name, number>;
  } finally {
    await Promise.all(counters.map(([, counter]) => counter.stop()));
  }
}

const startCounter = ({ kubectl, members, target }: Deployed, host: string, run: string): Promise<Counter> =>
  Counter.start(kubectl, members.namespace, target.images.patroni, host, run, PGBOUNCER_PORT);
