import type { LogLevel } from "./settings.ts";

const RANK: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50 };

/** JSON lines with the same fields as the log of `serve`: `level`, `time`, `msg`. */
export class Log {
  readonly #least: number;
  readonly #write: (line: string) => void;

  constructor(level: LogLevel, write: (line: string) => void = (line) => void process.stdout.write(line)) {
    this.#least = RANK[level];
    this.#write = write;
  }

  debug(msg: string, fields: object = {}): void {
    this.#line("debug", msg, fields);
  }

  info(msg: string, fields: object = {}): void {
    this.#line("info", msg, fields);
  }

  warn(msg: string, fields: object = {}): void {
    this.#line("warn", msg, fields);
  }

  error(msg: string, fields: object = {}): void {
    this.#line("error", msg, fields);
  }

  #line(level: LogLevel, msg: string, fields: object): void {
    if (RANK[level] < this.#least) return;
    this.#write(`${JSON.stringify({ level, time: new Date().toISOString(), msg, ...fields })}\n`);
  }
}
