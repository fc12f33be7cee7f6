/** A pause that can be cut short, also by what happens shortly before it begins. */
export class Alarm {
  #rung = false;
  #wake: (() => void) | undefined;

  /** Ends the pause, or the next one at once. */
  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** What rang so far is taken care of from here on. */
  clear(): void {
    this.#rung = false;
  }

  async sleep(ms: number): Promise<void> {
    if (this.#rung) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
