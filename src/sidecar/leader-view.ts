import { asString, at, type JsonObject } from "../json/value.ts";
import type { Tenure } from "../primary/round.ts";
import { TenureClock } from "../primary/tenure.ts";
import type { PatroniClient } from "./patroni.ts";

/** Patroni's default. Milliseconds. */
const DEFAULT_TTL_MS = 30_000;

/** How often the DCS is asked, through Patroni, while that matters. Milliseconds. */
const ASK_MS = 1000;

/** A pause between two answers in which another may have led, and gone. Milliseconds. */
const GAP_MS = 5000;

/** Who leads, by the leader object or, with a DCS other than Kubernetes, by this member's own `/cluster`. */
export class LeaderView {
  readonly #tenure = new TenureClock();
  #ttlMs = DEFAULT_TTL_MS;
  #isWatched = false;
  /** By the leader object. */
  #leader: string | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  #answeredAt = Number.NEGATIVE_INFINITY;

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
  async ask(patroni: Pick<PatroniClient, "leader" | "ttlMs">): Promise<void> {
    const now = performance.now();
    if (now - this.#askedAt < ASK_MS) return;
    if (this.#askedAt === Number.NEGATIVE_INFINITY) this.#ttlMs = (await patroni.ttlMs()) ?? this.#ttlMs;
    this.#askedAt = now;
    const leader = await patroni.leader();
    const answeredAt = performance.now();
    if (leader === undefined || answeredAt - this.#answeredAt > GAP_MS) this.#tenure.broken();
    if (leader === undefined) return;
    this.#answeredAt = answeredAt;
    this.#tenure.seen(leader, answeredAt);
  }

  /** @param member its name in Patroni */
  tenureOf(member: string): Tenure {
    return { namedForMs: this.#tenure.namedForMs(member, performance.now()), ttlMs: this.#ttlMs };
  }
}
