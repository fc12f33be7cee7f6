import { isPrimaryRole } from "../patroni/status.ts";
import type { RoundResult } from "../primary/round.ts";
import type { Observation, Standing } from "../primary/standing.ts";
import { formatTerm } from "../primary/term.ts";
import { ApiProblem } from "./api-object.ts";
import type { Log } from "./log.ts";
import { isChanging } from "./pace.ts";
import { Troubles } from "./troubles.ts";

/** A promotion, or a shutdown, holds the lease for a moment without a running primary; what lasts longer is told. Milliseconds. */
const HOLDING_MS = 1000;

type Trouble = "waiting" | "patroni" | "holding" | "slice" | "term" | "family" | `watch of ${string}`;

/**
 * What the sidecar says, in plain words and at the right moments only: a change is told once, a trouble when it begins and once a
 * minute while it lasts. Times are milliseconds of the monotonic clock.
 */
export class Journal {
  readonly #log: Log;
  readonly #slice: string;
  #role = "";
  #holdingSince: number | undefined;
  #hasRested = false;
  readonly #troubles: Troubles<Trouble>;

  /** @param slice `<namespace>/<name>` */
  constructor(log: Log, slice: string) {
    this.#log = log;
    this.#slice = slice;
    this.#troubles = new Troubles(log);
  }

  /** PostgreSQL has not run yet, by Patroni's `/health`. */
  waiting(health: Observation, now: number): void {
    const why =
      health.kind === "answered"
        ? `PostgreSQL does not run yet (${health.status.code}, state ${health.status.state ?? "unknown"})`
        : noAnswer(health);
    this.#troubles.begin("waiting", `waiting for Patroni: ${why}`, now);
  }

  observed(observation: Observation, standing: Standing, published: boolean, now: number): void {
    this.#troubles.over("waiting", "Patroni answers, and PostgreSQL runs");
    this.#holding(observation, standing, published, now);
    if (observation.kind !== "answered") {
      this.#troubles.begin("patroni", `Patroni does not answer: ${noAnswer(observation)}`, now);
      return;
    }
    this.#troubles.over("patroni", "Patroni answers again");
    const { role, state, timeline } = observation.status;
    const word = isPrimaryRole(role) ? "primary" : role;
    if (word === undefined || word === this.#role) return;
    this.#role = word;
    this.#log.info(`this member is ${word}`, { state, timeline });
  }

  /** @param tookMs from the change as seen to the API server's answer */
  round(result: RoundResult, address: string, tookMs: number, now: number): void {
    if (result.kind === "no-slice" || isNotFound(result)) {
      const text = `EndpointSlice ${this.#slice} does not exist: waiting for the controller to make it`;
      this.#troubles.begin("slice", text, now);
      return;
    }
    if (result.kind === "failed") {
      this.#troubles.begin("slice", messageOf(result.error), now);
      return;
    }
    this.#troubles.over("slice", `EndpointSlice ${this.#slice} can be read and written again`);
    this.#troubles.forget("family");
    const { verdict } = result;
    if (verdict.kind === "term-refused") {
      const text = `not published: term ${formatTerm(verdict.offered)} is of a lower timeline, or of another system, than the slice's ${formatTerm(verdict.current)}`;
      this.#troubles.begin("term", text, now);
      return;
    }
    this.#troubles.forget("term");
    if (result.kind === "wrote" && verdict.kind === "publish")
      this.#log.info("published", { address, term: formatTerm(verdict.term), tookMs: Math.round(tookMs) });
    else if (result.kind === "wrote" && verdict.kind === "withdraw")
      this.#log.info("withdrawn", { address, why: verdict.why });
    else if (!this.#hasRested && verdict.kind === "rest" && verdict.why === "published")
      this.#log.info("published already", { address });
    this.#hasRested = true;
  }

  /** The slice is of a family in which this pod has no address. */
  noAddress(addressType: string, now: number): void {
    const text = `not published: this pod has no ${addressType} address, and EndpointSlice ${this.#slice} takes no other`;
    this.#troubles.begin("family", text, now);
  }

  /** Watches come and go; only a missing permission does not mend itself. */
  watchBroken(what: string, problem: Error, now: number): void {
    if (problem instanceof ApiProblem && problem.code === 403)
      this.#troubles.begin(`watch of ${what}`, problem.message, now);
    else this.#log.debug(`the watch of the ${what} was interrupted`, { problem: problem.message });
  }

  watchHeard(what: string): void {
    this.#troubles.over(`watch of ${what}`, `the ${what} can be watched`);
  }

  /** The lease without a running primary: nobody else can take over, and there is nobody to publish. */
  #holding(observation: Observation, standing: Standing, published: boolean, now: number): void {
    if (published || standing.kind === "primary" || !isChanging({ observation, standing, named: false })) {
      this.#holdingSince = undefined;
      this.#troubles.forget("holding");
      return;
    }
    this.#holdingSince ??= now;
    if (now - this.#holdingSince >= HOLDING_MS)
      this.#troubles.begin(
        "holding",
        `not published, though this member holds the lease: ${standing.why}`,
        now,
      );
  }
}

function noAnswer(observation: Exclude<Observation, { kind: "answered" }>): string {
  if (observation.kind === "silent") return observation.error;
  return observation.postgres === "refused"
    ? "its port refuses connections, and so does PostgreSQL's"
    : "its port refuses connections";
}

const isNotFound = (result: RoundResult): boolean =>
  result.kind === "failed" && result.error instanceof ApiProblem && result.error.code === 404;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
