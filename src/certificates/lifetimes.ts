/** How long certificates of our own are valid, and how long others take to notice. Milliseconds. */
export interface Lifetimes {
  readonly authorityMs: number;
  readonly leafMs: number;
  /** Clocks differ between nodes: a certificate is valid from this long before it was made. */
  readonly backdateMs: number;
  /** How long an API server may go on with a `caBundle` that was replaced: it learns of the new one by a watch. */
  readonly cachesMs: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

export const LIFETIMES: Lifetimes = {
  authorityMs: 365 * DAY_MS,
  leafMs: 7 * DAY_MS,
  backdateMs: 10 * MINUTE_MS,
  cachesMs: MINUTE_MS,
};
