/** What must be there before reviews are answered well, each by a name that `/readyz` shows while it is missing. */
export class Readiness {
  readonly #checks = new Map<string, () => boolean>();

  /** @param met without it, missing until it is required anew with one */
  require(what: string, met: () => boolean = () => false): void {
    this.#checks.set(what, met);
  }

  missing(): string[] {
    return [...this.#checks].filter(([, met]) => !met()).map(([what]) => what);
  }
}
