import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Figure } from "../analysis/figure.ts";
import type { Target } from "./target.ts";

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
