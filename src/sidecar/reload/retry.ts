import { setTimeout as delay } from "node:timers/promises";

/** A component that is being started, or that has all its connections in use, answers a moment later. Milliseconds. */
const GRACE_MS = 5000;
const PAUSE_MS = 250;

/** Tries again for a few seconds while `isPassing` says of the error that the next try may do better. Rejects with the last error. */
export async function withGrace<Value>(
  attempt: () => Promise<Value>,
  isPassing: (error: unknown) => boolean,
  graceMs = GRACE_MS,
): Promise<Value> {
  const until = performance.now() + graceMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isPassing(error) || performance.now() + PAUSE_MS > until) throw error;
    }
    await delay(PAUSE_MS);
  }
}

const PASSING = ["ECONNREFUSED", "ECONNRESET", "ENOENT", "EPIPE", "57P03", "53300"];

/**
 * Nobody listens (or not yet, on a Unix socket), the connection broke, PostgreSQL starts up (57P03) or has too many connections
 * (53300).
 */
export function isPassing(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isPassing);
  return PASSING.includes((error as NodeJS.ErrnoException).code ?? "");
}
