import { asObject } from "../../../src/json/value.ts";

/** What became of one pod that was created (`client/admissions.py` describes the lines). */
export interface Admission {
  readonly n: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly ms: number;
  /** `past`: it was created without the sidecar; `refused`: it was not created. */
  readonly outcome: "injected" | "past" | "refused";
  readonly error: string;
}

/** @throws Error on a line that the client does not write */
export function parseAdmissions(log: string): Admission[] {
  return log
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map(parseLine);
}

function parseLine(line: string): Admission {
  const { n, at, ms, injected, error } = asObject(JSON.parse(line)) ?? {};
  if (typeof n === "number" && typeof at === "number" && typeof ms === "number") {
    const attempt = { n, atMs: at, ms };
    if (typeof injected === "boolean")
      return { ...attempt, outcome: injected ? "injected" : "past", error: "" };
    if (typeof error === "string") return { ...attempt, outcome: "refused", error };
  }
  throw new Error(`not a line of the admissions client: ${line}`);
}
