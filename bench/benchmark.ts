import type { Cores } from "./cores.ts";

export interface BenchmarkOptions {
  /** How long each measurement takes. */
  readonly seconds: number;
  readonly cores: Cores | undefined;
  /** Ends the benchmark, and every process that it started. */
  readonly signal: AbortSignal;
  /** Says what is being done, for a person who waits. */
  progress(line: string): void;
}

export interface Report {
  readonly text: string;
  readonly json: object;
  readonly missedTargets: number;
}

export type Benchmark = (options: BenchmarkOptions) => Promise<Report>;
