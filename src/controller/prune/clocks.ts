/** One moment as several clocks have it. Milliseconds since 1970. */
export interface Moment {
  readonly earliest: number;
  readonly latest: number;
}

/** What clocks say that were read together. One that runs ahead, or was set back, is outvoted by any other. */
export const momentOf = (...clocks: readonly number[]): Moment => ({
  earliest: Math.min(...clocks),
  latest: Math.max(...clocks),
});

/** How an object says since when it is unused: the latest that any clock said then. */
export const stampOf = ({ latest }: Moment): string => new Date(latest).toISOString();

/**
 * How long an object has been unused, by the clock that says the least: a clock that jumps ahead makes nothing older.
 *
 * @returns undefined where that is not known: no stamp, one that cannot be read, or one from the future of every clock, which
 *   would otherwise hold for as long as the clock that wrote it was ahead
 */
export function unusedForMs(stamp: string | undefined, { earliest, latest }: Moment): number | undefined {
  const since = Date.parse(stamp ?? "");
  return Number.isNaN(since) || since > latest ? undefined : earliest - since;
}
