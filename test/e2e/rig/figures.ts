import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { FaultOutcome } from "../analysis/outcome.ts";
import type { Target } from "./target.ts";

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

const fileIn = (out: string): string => join(out, "figures.ndjson");

/** Keeps a figure for the report; test processes come and go. */
export function keepFigure({ out }: Target, figure: Figure): void {
  appendFileSync(fileIn(out), `${JSON.stringify(figure)}\n`);
}

export function figuresIn(out: string): Figure[] {
  if (!existsSync(fileIn(out))) return [];
  const lines = readFileSync(fileIn(out), "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Figure);
}
