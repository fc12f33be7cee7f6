/** The moments of a promotion, in milliseconds since 1970. */
export interface Promotion {
  /** Patroni told PostgreSQL to become the primary. */
  readonly toldMs: number;
  /** PostgreSQL takes writes: what "promoted" means in every figure. */
  readonly promotedMs: number;
}

// The words of PostgreSQL's postmaster and startup process, the same since version 10.
const TOLD = "received promote request";
const TAKES_WRITES = "database system is ready to accept connections";

/**
 * Every promotion in what `kubectl logs --timestamps` prints of a Patroni container. The times are those at which the container
 * runtime read the lines.
 */
export function promotionsIn(log: string): Promotion[] {
  const promotions: Promotion[] = [];
  let toldMs: number | undefined;
  for (const line of log.split("\n")) {
    const space = line.indexOf(" ");
    const text = line.slice(space + 1);
    if (text.includes(TOLD)) toldMs = Date.parse(line.slice(0, space));
    if (text.includes(TAKES_WRITES) && toldMs !== undefined) {
      promotions.push({ toldMs, promotedMs: Date.parse(line.slice(0, space)) });
      toldMs = undefined;
    }
  }
  return promotions;
}
