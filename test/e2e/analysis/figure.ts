import type { FaultOutcome } from "./outcome.ts";

/** What one fault on one form of cluster measured. */
export interface FaultFigure extends Omit<FaultOutcome, "lost" | "fromFormer" | "twoAtOnce"> {
  readonly kind: "fault";
  readonly form: string;
  readonly fault: string;
  readonly lost: number;
  readonly fromFormer: number;
  readonly twoAtOnce: number;
}

/** A single number. */
export interface NumberFigure {
  readonly kind: "number";
  readonly what: string;
  readonly value: number;
  readonly unit: string;
}

export type Figure = FaultFigure | NumberFigure;
