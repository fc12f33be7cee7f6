import { type DestinationStream, type Logger, pino } from "pino";

export type { Logger } from "pino";

export interface LoggerOptions {
  readonly level: string;
  /** Default: standard output. */
  readonly destination?: DestinationStream;
}

/** Lines that nobody reads yet are kept up to this many bytes, then dropped: a stalled reader must not stop us. */
const LONGEST_BACKLOG = 8 * 1024 * 1024;

/** JSON lines with the level as a word and the time in UTC. Who speaks is the pod's business: no pid, no hostname. */
export function createLogger({ level, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, destination ?? standardOutput());
}

/** Written asynchronously; what is left is written when the process exits. */
const standardOutput = () => pino.destination({ dest: 1, sync: false, maxLength: LONGEST_BACKLOG });
