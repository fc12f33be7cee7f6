import { certificatesIn, idOf } from "./pem.ts";

/**
 * For how long each authority has been in every `caBundle` of the live configuration, without a break. Kept in memory
 * alone, on a clock that nobody can set: a process that starts begins to count anew, which only makes it wait longer.
 */
export class Sightings {
  readonly #monotonicMs: () => number;
  #since = new Map<string, number>();

  constructor(monotonicMs: () => number = () => performance.now()) {
    this.#monotonicMs = monotonicMs;
  }

  /** @param bundles the `caBundle` of each entry as it is now, PEM; empty: there is no entry. @returns whether others are in it than before */
  see(bundles: readonly string[]): boolean {
    const now = this.#monotonicMs();
    const [first = [], ...others] = bundles.map((bundle) => certificatesIn(bundle).map(idOf));
    const everywhere = first.filter((id) => others.every((ids) => ids.includes(id)));
    const before = this.#since;
    this.#since = new Map(everywhere.map((id) => [id, before.get(id) ?? now]));
    return before.size !== this.#since.size || everywhere.some((id) => !before.has(id));
  }

  /** Some authority is in every one. */
  get any(): boolean {
    return this.#since.size > 0;
  }

  /** Milliseconds; undefined: it is not in every one. */
  forMs(id: string): number | undefined {
    const since = this.#since.get(id);
    return since === undefined ? undefined : this.#monotonicMs() - since;
  }
}
