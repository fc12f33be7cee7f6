/** Goes through a text from its beginning, piece by piece. */
export class Scanner {
  readonly #text: string;
  #position = 0;
  /** The line, from 1, of what comes next. */
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  get line(): number {
    return this.#line;
  }

  get isEmpty(): boolean {
    return this.#position === this.#text.length;
  }

  /** Takes what a sticky pattern finds here; where it finds nothing, nothing is taken. */
  take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#text);
    if (found !== null) {
      this.#position += found[0].length;
      this.#line += found[0].split("\n").length - 1;
    }
    return found;
  }
}
