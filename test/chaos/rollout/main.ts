/** Rolling restarts of all replicas while an API server calls all the time. No cluster is needed: only the webhook is called. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { patroniPod } from "../../../bench/webhook/pod.ts";
import { reviewOf } from "../../../bench/webhook/review.ts";
import { MUTATE_PATH } from "../../../src/contract/names.ts";
import { Balancer } from "./balancer.ts";
import { GoTransport } from "./go-transport.ts";
import { load, type Tally } from "./load.ts";
import { type Replica, rollingRestart, startReplica } from "./restart.ts";

/** Endpoints are taken out 0.7 s after the replica is not ready any more; it goes on for 3 s. */
const PROXY_DELAY_MS = 700;
const CONFIG = `
webhook: { host: 127.0.0.1, port: 0, registration: { mode: none } }
operations: { host: 127.0.0.1, port: 0 }
drainSeconds: 3
`;

/** @returns how the process should end */
export async function rollouts(times: number, perSecond: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "rollout-"));
  const balancer = await Balancer.start(PROXY_DELAY_MS);
  const transport = new GoTransport({ host: "127.0.0.1", port: balancer.port, timeoutMs: 5000 });
  const replicas: Replica[] = [];
  try {
    const config = join(folder, "config.yaml");
    await writeFile(config, CONFIG);
    const options = ["--config", config];
    for (let count = 0; count < 2; count++) replicas.push(await startReplica(balancer, options));
    const body = JSON.stringify(reviewOf(patroniPod(10_000)));
    const ended = new AbortController();
    const loaded = load(perSecond, () => called(transport, body), ended.signal);
    for (let count = 0; count < times; count++) await rollingRestart(balancer, replicas, options);
    ended.abort();
    const tally = await loaded;
    process.stdout.write(report(times, perSecond, transport.opened, tally));
    return tally.failures.size === 0 ? 0 : 1;
  } finally {
    transport.close();
    await Promise.all(replicas.map(({ program }) => program.stop(30_000)));
    await balancer.close();
    await rm(folder, { recursive: true });
  }
}

async function called(transport: GoTransport, body: string): Promise<void> {
  const { status, body: answer } = await transport.call(MUTATE_PATH, body);
  if (status !== 200) throw new Error(`answered ${status}`);
  if (JSON.parse(answer).response.patch === undefined) throw new Error("answered without a patch");
}

function report(
  times: number,
  perSecond: number,
  opened: number,
  { calls, skipped, failures, latenciesMs }: Tally,
): string {
  const sorted = latenciesMs.toSorted((one, other) => one - other);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]?.toFixed(1);
  const failed = [...failures.values()].reduce((sum, count) => sum + count, 0);
  return [
    `${times} rolling restarts of 2 replicas under ${perSecond} admissions a second:`,
    `${calls} calls over ${opened} connections, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms; ${failed} failed, ${skipped} not made`,
    ...[...failures].map(([why, count]) => `  ${count} × ${why}`),
    "",
  ].join("\n");
}
