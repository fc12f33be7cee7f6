import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FaultRecord } from "../analysis/outcome.ts";
import { isAcknowledged } from "../analysis/writes.ts";
import { Counter } from "../rig/counter.ts";
import type { Deployed } from "../rig/deploy.ts";
import { until } from "../rig/kubectl.ts";
import type { MemberPod, Settled } from "../rig/members.ts";
import { SliceWatch } from "../rig/slice-watch.ts";

const SETTLES_WITHIN_MS = 180_000;

/** Where a record is kept, beside the report. */
const fileFor = ({ target, form }: Deployed, what: "slice" | "writes", run: string): string =>
  join(target.out, `${what}-${form.name}-${run}.ndjson`);

/** A counter client and a watch of the slice, from before something happens until after it. */
export class Observation {
  readonly #deployed: Deployed;
  readonly #run: string;
  readonly #watch: SliceWatch;
  #counter: Counter | undefined;

  private constructor(deployed: Deployed, run: string, watch: SliceWatch) {
    this.#deployed = deployed;
    this.#run = run;
    this.#watch = watch;
  }

  /** `run` tells observations of one cluster apart: a DNS label. */
  static async start(deployed: Deployed, run: string): Promise<Observation> {
    const { kubectl, members, target, service } = deployed;
    const watch = new SliceWatch(kubectl, members.namespace, service, fileFor(deployed, "slice", run));
    const observation = new Observation(deployed, run, watch);
    try {
      const { patroni } = target.images;
      observation.#counter = await Counter.start(kubectl, members.namespace, patroni, service, run);
      return observation;
    } catch (error) {
      await observation.end();
      throw error;
    }
  }

  /** Waits until all is well again: the client writes, every member is in its place, the slice shows the primary. */
  async recovery(): Promise<Settled> {
    await this.#writesAgain();
    const settled = await settle(this.#deployed, `the cluster is settled after ${this.#run}`);
    const shows = async () => this.published.join() === settled.primary.ip || undefined;
    await until(`the slice shows the primary after ${this.#run}`, SETTLES_WITHIN_MS, shows);
    await this.#writesAgain();
    return settled;
  }

  /** What stands in the slice now. */
  get published(): readonly string[] {
    return this.#watch.now;
  }

  /** Ends the client and gives what was recorded, with what `primary` holds of its writes. */
  async finish(primary: MemberPod): Promise<Pick<FaultRecord, "writes" | "stored" | "slice">> {
    const { members } = this.#deployed;
    const counter = this.#counter;
    if (counter === undefined) throw new Error(`the observation ${this.#run} is over`);
    this.#counter = undefined;
    const writes = await counter.stop();
    await writeFile(
      fileFor(this.#deployed, "writes", this.#run),
      writes.map((write) => `${JSON.stringify(write)}\n`).join(""),
    );
    const stored = await members.sql(primary.name, `SELECT n FROM counter WHERE run = '${this.#run}'`);
    return { writes, stored: new Set(stored.split("\n").map(Number)), slice: this.#watch.moments() };
  }

  /** Ends what still runs. */
  async end(): Promise<void> {
    await this.#watch.stop();
    await this.#counter?.stop().catch(() => {}); // the reason why it is not finished is on its way already
  }

  /** Waits for the acknowledgement of a write that was begun from now on. */
  async #writesAgain(): Promise<void> {
    const sinceMs = Date.now();
    const again = async () => {
      const writes = (await this.#counter?.writes()) ?? [];
      return writes.some((write) => isAcknowledged(write) && write.sentMs > sinceMs) || undefined;
    };
    await until("the client's writes are acknowledged", SETTLES_WITHIN_MS, again, 1_000);
  }
}

/** Waits until every member is in its place. */
export const settle = ({ members, form }: Deployed, what: string): Promise<Settled> =>
  until(what, SETTLES_WITHIN_MS, () => members.settled(form.synchronous), 1_000);

/** The log of a member's PostgreSQL since a moment, with timestamps. */
export function logSince(
  { kubectl, members }: Deployed,
  member: MemberPod,
  sinceMs: number,
): Promise<string> {
  const { name, container } = members.ref(member.name);
  const since = `--since-time=${new Date(sinceMs).toISOString()}`;
  const place = [`--container=${container}`, `--namespace=${members.namespace}`];
  return kubectl.run(["logs", name, ...place, "--timestamps", since]);
}
