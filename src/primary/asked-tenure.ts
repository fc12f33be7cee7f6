import type { Tenure } from "./round.ts";
import { TenureClock } from "./tenure.ts";

/** How often the DCS is asked while that matters. Milliseconds. */
const ASK_MS = 1000;

/** A pause between two answers in which another may have led, and gone. Milliseconds. */
const GAP_MS = 5000;

/** Patroni's default. Milliseconds. */
export const DEFAULT_TTL_MS = 30_000;

/** Whom the DCS names, through one member's Patroni. Undefined where it does not say. */
export interface DcsSource {
  leader(): Promise<string | undefined>;
  /** Milliseconds. */
  ttlMs(): Promise<number | undefined>;
}

/** A tenure by a source that must be asked again and again: with a DCS other than Kubernetes nothing tells who leads. */
export class AskedTenure {
  readonly #clock = new TenureClock();
  #ttlMs: number | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  #answeredAt = Number.NEGATIVE_INFINITY;

  /** Not more often than once a second; an answer that does not come is a break. @param now a monotonic clock, in milliseconds */
  async ask(source: DcsSource, now: () => number): Promise<void> {
    if (now() - this.#askedAt < ASK_MS) return;
    this.#askedAt = now();
    this.#ttlMs ??= await source.ttlMs();
    const leader = await source.leader();
    const answeredAt = now();
    if (answeredAt - this.#answeredAt > GAP_MS) this.#clock.broken();
    this.#answeredAt = answeredAt;
    this.#clock.seen(leader, answeredAt);
  }

  /** @param member its name in Patroni */
  of(member: string, now: number): Tenure {
    return { namedForMs: this.#clock.namedForMs(member, now), ttlMs: this.#ttlMs ?? DEFAULT_TTL_MS };
  }
}
