import { styleText } from "node:util";

/** One line of the story: when, in milliseconds since the start, who, and what happened. */
export interface TimelineEntry {
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
}

/** Keeps the story, and tells it as it goes where a stream is given. */
export class Timeline {
  readonly entries: TimelineEntry[] = [];
  readonly #start = performance.now();
  readonly #out: NodeJS.WriteStream | undefined;

  constructor(out: NodeJS.WriteStream | undefined) {
    this.#out = out;
  }

  /** Adds a line. `tone` colours it on a terminal. */
  add(who: string, what: string, tone: "plain" | "good" | "bad" = "plain"): void {
    const entry = { atMs: Math.round(performance.now() - this.#start), who, what };
    this.entries.push(entry);
    const time = `${(entry.atMs / 1000).toFixed(2).padStart(6)} s`;
    this.#out?.write(
      `${this.#style("dim", time)}  ${this.#style("cyan", who.padEnd(14))}${this.#toned(what, tone)}\n`,
    );
  }

  /** Text that belongs to the story but has no time of its own. */
  text(text: string): void {
    this.#out?.write(`${text}\n`);
  }

  /** Colours a line of a unified diff. */
  diffLine(line: string): string {
    if (line.startsWith("+")) return this.#style("green", line);
    if (line.startsWith("-")) return this.#style("red", line);
    return line.startsWith("@@") ? this.#style("dim", line) : line;
  }

  #toned(text: string, tone: "plain" | "good" | "bad"): string {
    if (tone === "plain") return text;
    return this.#style(tone === "good" ? "green" : "red", `${tone === "good" ? "✓" : "✗"} ${text}`);
  }

  #style(format: "dim" | "cyan" | "green" | "red", text: string): string {
    return this.#out === undefined ? text : styleText(format, text, { stream: this.#out });
  }
}
