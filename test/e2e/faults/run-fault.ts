import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type FaultOutcome, outcomeOf } from "../analysis/outcome.ts";
import { isAcknowledged } from "../analysis/writes.ts";
import { Counter } from "../rig/counter.ts";
import type { Deployed } from "../rig/deploy.ts";
import { until } from "../rig/kubectl.ts";
import type { Saboteur } from "../rig/saboteur.ts";
import { SliceWatch } from "../rig/slice-watch.ts";
import type { Fault } from "./faults.ts";

const SETTLES_WITHIN_MS = 180_000;
/** How long the client writes before the fault, and after everything has settled. */
const MARGIN_MS = 2_000;

export interface FaultRun {
  readonly outcome: FaultOutcome;
  readonly moved: boolean;
  /** What stood in the slice at the end, and who was the primary. */
  readonly published: readonly string[];
  readonly primaryIp: string;
}

/** Strikes a settled cluster under the counter client, waits until it is settled again, and tells what all of it meant. */
export async function runFault(deployed: Deployed, saboteur: Saboteur, fault: Fault): Promise<FaultRun> {
  const { kubectl, members, form, target } = deployed;
  const { namespace } = members;
  const settle = (what: string) =>
    until(what, SETTLES_WITHIN_MS, () => members.settled(form.synchronous), 1_000);

  const before = await settle(`the cluster is settled before ${fault.name}`);
  const record = join(target.out, `slice-${form.name}-${fault.name}.ndjson`);
  const watch = new SliceWatch(kubectl, namespace, deployed.service, record);
  let counter: Counter | undefined;
  try {
    counter = await Counter.start(kubectl, namespace, target.images.patroni, deployed.service, fault.name);
    await delay(MARGIN_MS);
    const struckMs = Date.now();
    await fault.strike({ kubectl, members, saboteur, before, ttlSeconds: form.ttlSeconds });
    await writesAgain(counter, Date.now());
    const after = await settle(`the cluster is settled after ${fault.name}`);
    await until(`the slice shows the primary after ${fault.name}`, 60_000, async () =>
      watch.now.join() === after.primary.ip ? true : undefined,
    );
    await writesAgain(counter, Date.now());
    await delay(MARGIN_MS);

    const writes = await counter.stop();
    counter = undefined;
    const stored = await members.sql(after.primary.name, `SELECT n FROM counter WHERE run = '${fault.name}'`);
    const since = `--since-time=${new Date(struckMs).toISOString()}`;
    const { name, container } = members.ref(after.primary.name);
    const log = ["logs", name, `--container=${container}`, `--namespace=${namespace}`, "--timestamps", since];
    const outcome = outcomeOf({
      struckMs,
      writes,
      stored: new Set(stored.split("\n").map(Number)),
      slice: watch.moments(),
      formerIp: before.primary.ip,
      currentIp: after.primary.ip,
      primaryLog: await kubectl.run(log),
    });
    const published = watch.now;
    return {
      outcome,
      moved: before.primary.uid !== after.primary.uid,
      published,
      primaryIp: after.primary.ip,
    };
  } finally {
    await watch.stop();
    await counter?.stop().catch(() => {});
  }
}

/** Waits for the acknowledgement of a write that was begun after a moment. */
const writesAgain = (counter: Counter, sinceMs: number): Promise<true> =>
  until(
    "the client's writes are acknowledged again",
    SETTLES_WITHIN_MS,
    async () =>
      (await counter.writes()).some((write) => isAcknowledged(write) && write.sentMs > sinceMs) || undefined,
    1_000,
  );
