import type { JsonObject } from "../../json/value.ts";
import { publishedAddresses } from "../../primary/slice.ts";
import { type ApiObject, ApiProblem } from "../api-object.ts";
import type { KubeApi } from "../kube-api.ts";
import type { Log } from "../log.ts";
import type { SidecarMetrics } from "../metrics.ts";
import { SliceClient } from "../slice-client.ts";
import { Troubles } from "../troubles.ts";
import { watchObject } from "../watch.ts";
import { Reconnect } from "./pgbouncer/reconnect.ts";
import { ReloadReport } from "./report.ts";
import { readConsole } from "./settings.ts";

/** Milliseconds. */
const TIMES = {
  /** A watch begins with the object as it is: what is not told by then does not exist. */
  absentAfterMs: 2000,
  /** The slice is read this often even where the watch says nothing, for watches go silent. A third is added at random. */
  resyncMs: 60_000,
};

export interface ReconnectSurroundings {
  readonly log: Log;
  readonly metrics: SidecarMetrics;
  readonly api: KubeApi;
  /** The primary's EndpointSlice; it is read and never written. */
  readonly slice: ApiObject;
  readonly times?: typeof TIMES;
}

/**
 * Lets PgBouncer reconnect whenever another primary is published, until the result is called. Throws where the environment does not
 * say where its console is.
 */
export function startReconnect(
  environment: NodeJS.ProcessEnv,
  { log, metrics, api, slice, times = TIMES }: ReconnectSurroundings,
): () => void {
  const report = new ReloadReport(log, metrics);
  const reconnect = new Reconnect(readConsole(environment), (...done) => report.reconnected(...done));
  const stopped = new AbortController();
  const followed = new FollowedSlice(slice, log, metrics, times.absentAfterMs);
  let heard = 0;
  const client = new SliceClient(api, slice);
  const resync = setInterval(
    async () => {
      const before = heard;
      const reply = await client.read();
      // What the watch told meanwhile may be newer.
      if (reply.kind === "slice" && heard === before) reconnect.seen(reply.slice);
    },
    times.resyncMs * (1 + Math.random() / 3),
  );
  void watchObject(
    api,
    slice,
    {
      opened: () => followed.opened(),
      seen(object) {
        heard++;
        followed.seen(object);
        reconnect.seen(object);
      },
      broken: (problem) => followed.broken(problem),
    },
    stopped.signal,
  );
  return () => {
    stopped.abort();
    clearInterval(resync);
    followed.stop();
    reconnect.stop();
  };
}

/** What is said of the watch. */
class FollowedSlice {
  readonly #name: string;
  readonly #log: Log;
  readonly #metrics: SidecarMetrics;
  readonly #troubles: Troubles<"watch" | "absent">;
  readonly #absentAfterMs: number;
  #silence: NodeJS.Timeout | undefined;
  /** A primary has been seen: from now on another one is known as such. */
  #isFollowed = false;
  /** Attempts since the watch was last open. */
  #failures = 0;

  constructor({ namespace, name }: ApiObject, log: Log, metrics: SidecarMetrics, absentAfterMs: number) {
    this.#name = `EndpointSlice ${namespace}/${name}`;
    this.#log = log;
    this.#metrics = metrics;
    this.#troubles = new Troubles(log);
    this.#absentAfterMs = absentAfterMs;
    metrics.set("primary_watched", 0);
  }

  opened(): void {
    this.#failures = 0;
    this.#metrics.set("primary_watched", 1);
    this.#troubles.over("watch", `${this.#name} is watched`);
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#absent(), this.#absentAfterMs);
  }

  seen(object: JsonObject | undefined): void {
    clearTimeout(this.#silence);
    if (object === undefined) {
      this.#absent();
      return;
    }
    this.#troubles.over("absent", `${this.#name} exists`);
    const primary = publishedAddresses(object).join(" ");
    if (this.#isFollowed || primary === "") return;
    this.#isFollowed = true;
    this.#log.info("the published primary is followed", { primary });
  }

  /** An interruption mends itself at once; one that lasts, and a missing permission, do not. */
  broken(problem: Error): void {
    clearTimeout(this.#silence);
    this.#metrics.set("primary_watched", 0);
    this.#failures++;
    const isForbidden = problem instanceof ApiProblem && problem.code === 403;
    if (isForbidden || this.#failures > 1)
      this.#troubles.begin("watch", `no other primary is heard of: ${problem.message}`, performance.now());
    else this.#log.info(`the watch of ${this.#name} was interrupted`, { problem: problem.message });
  }

  stop(): void {
    clearTimeout(this.#silence);
  }

  #absent(): void {
    const text = `${this.#name} does not exist: waiting for the controller to make it`;
    this.#troubles.begin("absent", text, performance.now());
  }
}
