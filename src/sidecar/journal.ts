import { isPrimaryRole } from "../patroni/status.ts";
import type { RoundResult } from "../primary/round.ts";
import type { Observation } from "../primary/standing.ts";
import { formatTerm } from "../primary/term.ts";
import type { Log } from "./log.ts";
import { ApiProblem } from "./slice-client.ts";

/** The same trouble is told again after this long. Milliseconds. */
const REMIND_MS = 60_000;

/**
 * What the sidecar says, in plain words and at the right moments only: a change is told once, a trouble when it begins and once a
 * minute while it lasts.
 */
export class Journal {
  readonly #log: Log;
  readonly #slice: string;
  #role = "";
  #troubles = new Map<string, { text: string; toldAt: number }>();

  constructor(log: Log, slice: string) {
    this.#log = log;
    this.#slice = slice;
  }

  waiting(observation: Observation, now: number): void {
    const why =
      observation.kind === "answered" ? `it answers ${observation.status.code}` : troubleOf(observation);
    this.#trouble("patroni", `waiting for Patroni: ${why}`, now);
  }

  observed(observation: Observation, now: number): void {
    if (observation.kind !== "answered") {
      this.#trouble("patroni", `Patroni does not answer: ${troubleOf(observation)}`, now);
      return;
    }
    this.#over("patroni", "Patroni answers again");
    const { role, state, timeline } = observation.status;
    const word = isPrimaryRole(role) ? "primary" : (role ?? "unknown");
    if (word === this.#role) return;
    this.#role = word;
    this.#log.info(`this member is ${word}`, { state, timeline });
  }

  /** @param tookMs from the change as seen to the API server's answer */
  round(result: RoundResult, address: string, tookMs: number, now: number): void {
    if (result.kind === "no-slice") {
      const text = `EndpointSlice ${this.#slice} does not exist: waiting for the controller to make it`;
      this.#trouble("slice", text, now);
      return;
    }
    if (result.kind === "failed") {
      this.#trouble("slice", explained(result.error, this.#slice), now);
      return;
    }
    this.#over("slice", `EndpointSlice ${this.#slice} can be read and written again`);
    const { verdict } = result;
    if (verdict.kind === "term-refused") {
      const text = `not published: term ${formatTerm(verdict.offered)} is lower than, or of another system as, ${formatTerm(verdict.current)} in the slice`;
      this.#trouble("term", text, now);
      return;
    }
    this.#troubles.delete("term");
    if (result.kind !== "wrote") return;
    if (verdict.kind === "publish") {
      this.#log.info("published", { address, term: formatTerm(verdict.term), tookMs: Math.round(tookMs) });
    } else if (verdict.kind === "withdraw") {
      this.#log.info("withdrawn", { address, why: verdict.why });
    }
  }

  #trouble(about: string, text: string, now: number): void {
    const last = this.#troubles.get(about);
    if (last?.text === text && now - last.toldAt < REMIND_MS) return;
    this.#troubles.set(about, { text, toldAt: now });
    this.#log.warn(text);
  }

  #over(about: string, text: string): void {
    if (this.#troubles.delete(about)) this.#log.info(text);
  }
}

function troubleOf(observation: Observation): string {
  if (observation.kind === "refused") {
    return observation.postgres === "refused"
      ? "its port refuses connections, and so does PostgreSQL's"
      : "its port refuses connections";
  }
  return observation.kind === "silent" ? observation.error : "";
}

function explained(error: unknown, slice: string): string {
  if (!(error instanceof ApiProblem)) return error instanceof Error ? error.message : String(error);
  if (error.code === 403) {
    return `permission missing: this pod's ServiceAccount may not get and update EndpointSlice ${slice} (${error.message})`;
  }
  if (error.code === 401) return `the API server does not accept this pod's token (${error.message})`;
  return error.message;
}
