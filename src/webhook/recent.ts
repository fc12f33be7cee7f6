import type { ToldDecision, ToldDecisions } from "../contract/decisions.ts";
import type { ReviewRecord } from "../injection/review.ts";

/** Milliseconds. */
const REMEMBERED_MS = 3_600_000;

/** Names are at most 253 characters each (`ReviewRecord`): all of it is less than 256 KiB, whatever happens. */
const AT_MOST = 400;

interface Kept extends Omit<ToldDecision, "at"> {
  readonly atMs: number;
}

/** What pods of namespaces in audit mode would have got in the last hour. Who only tries (dry-run) makes no pod, and is not kept. */
export class RecentDecisions {
  readonly #now: () => number;
  readonly #kept: Kept[] = [];
  /** From here on nothing was pushed out. */
  #wholeSinceMs: number;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.#wholeSinceMs = now();
  }

  keep({ namespace, name, mode, dryRun, decision, reason }: ReviewRecord): void {
    if (mode !== "audit" || dryRun) return;
    this.#forgetOld();
    this.#kept.push({ atMs: this.#now(), namespace, name, decision, reason });
    if (this.#kept.length <= AT_MOST) return;
    this.#kept.shift();
    this.#wholeSinceMs = this.#kept[0]?.atMs ?? this.#now();
  }

  told(): ToldDecisions {
    this.#forgetOld();
    const since = Math.max(this.#wholeSinceMs, this.#now() - REMEMBERED_MS);
    return {
      since: new Date(since).toISOString(),
      decisions: this.#kept.map(({ atMs, ...rest }) => ({ at: new Date(atMs).toISOString(), ...rest })),
    };
  }

  #forgetOld(): void {
    const oldest = this.#now() - REMEMBERED_MS;
    const kept = this.#kept.findIndex(({ atMs }) => atMs >= oldest);
    this.#kept.splice(0, kept === -1 ? this.#kept.length : kept);
  }
}
