import { asString, at, type JsonObject } from "../json/value.ts";
import { AskedTenure, type DcsSource, DEFAULT_TTL_MS } from "../primary/asked-tenure.ts";
import type { Tenure } from "../primary/round.ts";
import { TenureClock } from "../primary/tenure.ts";

/** Who leads, by the leader object or, with a DCS other than Kubernetes, by this member's own `/cluster`. */
export class LeaderView {
  readonly #tenure = new TenureClock();
  readonly #asked = new AskedTenure();
  #ttlMs = DEFAULT_TTL_MS;
  #isWatched = false;
  /** By the leader object. */
  #leader: string | undefined;

  /** The leader object as it is; undefined where it was deleted. @returns the leader's position, in bytes, where it is told */
  heard(object: JsonObject | undefined, now: number): number | undefined {
    const annotation = (key: string) => asString(at(object, "metadata", "annotations", key));
    this.#isWatched = true;
    this.#leader = annotation("leader") || undefined;
    this.#tenure.seen(this.#leader, now);
    const ttl = Number(annotation("ttl"));
    if (ttl > 0) this.#ttlMs = ttl * 1000;
    const position = Number(annotation("optime"));
    return position > 0 ? position : undefined;
  }

  interrupted(): void {
    this.#isWatched = false;
    this.#leader = undefined;
    this.#tenure.broken();
  }

  /** The leader object names this member. @param member its name in Patroni */
  names(member: string): boolean {
    return this.#leader === member;
  }

  /** The leader object is watched: a change of the leader will be told. */
  get isWatched(): boolean {
    return this.#isWatched;
  }

  /** Asks the DCS through this member's Patroni, not more often than once a second. */
  ask(patroni: DcsSource): Promise<void> {
    return this.#asked.ask(patroni, () => performance.now());
  }

  /** @param member its name in Patroni */
  tenureOf(member: string): Tenure {
    const now = performance.now();
    if (!this.#isWatched) return this.#asked.of(member, now);
    return { namedForMs: this.#tenure.namedForMs(member, now), ttlMs: this.#ttlMs };
  }
}
