import { setTimeout as delay } from "node:timers/promises";

const LONGEST_WAIT_MS = 20_000;
const POLL_MS = 50;

/** Asks again and again until the answer is yes. @throws Error after 20 seconds */
export async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + LONGEST_WAIT_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`still not: ${what}`);
    await delay(POLL_MS);
  }
}
