import type { Server } from "node:https";
import { setTimeout as delay } from "node:timers/promises";

export interface DrainOptions {
  /** How long to go on answering: the time that it takes until nobody is led here any more. */
  readonly lingerMs: number;
  /** How long to wait after that for answers that are under way; no caller waits longer. */
  readonly answerMs: number;
  /** Ends it at once. */
  readonly atOnce: AbortSignal;
}

/**
 * Takes a server out of service without losing a request. API servers go on using their connections after the
 * endpoint is gone, so the server answers for a while yet; its app must ask each client to connect anew
 * (`Connection: close`) before this is called. Then it stops listening, lets the last answers go out, and closes
 * every connection.
 */
export async function drain(server: Server, { lingerMs, answerMs, atOnce }: DrainOptions): Promise<void> {
  await pause(lingerMs, atOnce);
  const answered = new AbortController();
  server.close(() => answered.abort());
  await pause(answerMs, AbortSignal.any([atOnce, answered.signal]));
  server.closeAllConnections();
}

/** Waits, but not on when the signal comes. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined);
}
