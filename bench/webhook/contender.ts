import type { Endpoint } from "../load/connection.ts";
import type { LogPipe } from "../log-pipe.ts";

/** The servers that are measured, in the order of each round. */
export const CONTENDERS = ["echo", "express", "injector"] as const;
export type ContenderName = (typeof CONTENDERS)[number];

/** A server in a process of its own. */
export interface Contender {
  readonly name: ContenderName;
  readonly pid: number;
  readonly endpoint: Endpoint;
  /** Where it logs, if it does. */
  readonly log?: LogPipe;
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly cpu: number | undefined;
  readonly signal: AbortSignal;
}
