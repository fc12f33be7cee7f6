import { setTimeout as delay } from "node:timers/promises";
import { objectsIn } from "../json/value.ts";
import { BACK_OFF, BackOff, type BackOffTimes } from "./back-off.ts";
import type { KubeConnection } from "./connection.ts";
import { isForbidden } from "./error.ts";

export interface GroupOptions {
  onInterrupted(error: unknown, pauseMs: number): void;
  readonly times?: Partial<BackOffTimes>;
}

/**
 * Asks whether the cluster serves an API group, for as long as it takes to be answered; being refused the question counts
 * as no. Never rejects.
 *
 * @returns undefined where the signal ended the asking
 */
export async function hasApiGroup(
  connection: KubeConnection,
  name: string,
  signal: AbortSignal,
  { onInterrupted, times }: GroupOptions,
): Promise<boolean | undefined> {
  const backOff = new BackOff({ ...BACK_OFF, ...times });
  while (!signal.aborted) {
    try {
      const { groups } = await connection.send({ method: "GET", path: "/apis", signal });
      return objectsIn(groups).some((group) => group.name === name);
    } catch (error) {
      if (signal.aborted) break;
      const refused = isForbidden(error);
      const pauseMs = refused ? 0 : backOff.next(error);
      onInterrupted(error, pauseMs);
      if (refused) return false;
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}
