import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { percentile } from "../../../bench/statistics.ts";
import type { Figure } from "../analysis/figure.ts";
import type { Target } from "./target.ts";

const fileIn = (out: string): string => join(out, "figures.ndjson");

/** Keeps a figure for the report; test processes come and go. */
export function keepFigure({ out }: Target, figure: Figure): void {
  appendFileSync(fileIn(out), `${JSON.stringify(figure)}\n`);
}

/** Keeps the spread of some durations, and gives their 95th percentile. Milliseconds. */
export function keepSpread(
  target: Target,
  what: string,
  times: readonly number[],
  percents: readonly number[] = [50, 95, 100],
): number {
  const sorted = times.toSorted((one, other) => one - other);
  for (const percent of percents) {
    const value = percentile(sorted, percent);
    keepFigure(target, { kind: "number", what: `${what}, p${percent}`, value, unit: "ms" });
  }
  return percentile(sorted, 95);
}

export function figuresIn(out: string): Figure[] {
  if (!existsSync(fileIn(out))) return [];
  const lines = readFileSync(fileIn(out), "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Figure);
}
