import type { SliceMoment } from "../../demo/failover/recorder.ts";
import type { Reign } from "../../demo/patroni/cluster.ts";

/** For how long a slice showed somebody who was not the primary. Milliseconds, each entry one uninterrupted time. */
export interface StaleTimes {
  /** While nobody was primary: clients are refused. */
  readonly nobody: readonly number[];
  /** While another was: clients could reach the wrong server. */
  readonly another: readonly number[];
}

/** Lays what the slice showed over who was the primary. Both are in order of time. */
export function staleTimes(moments: readonly SliceMoment[], history: readonly Reign[]): StaleTimes {
  const stale = { nobody: [] as number[], another: [] as number[] };
  for (const [index, { at, addresses }] of moments.entries()) {
    const until = moments[index + 1]?.at ?? at;
    const [shown] = addresses;
    if (shown === undefined) continue;
    for (const [place, reign] of history.entries()) {
      const from = Math.max(at, reign.at);
      const to = Math.min(until, history[place + 1]?.at ?? Number.POSITIVE_INFINITY);
      if (to <= from || reign.host === shown) continue;
      stale[reign.host === undefined ? "nobody" : "another"].push(to - from);
    }
  }
  return stale;
}
