import { Writable } from "node:stream";

/** A stream that keeps what is written to it. */
export class Sink extends Writable {
  #text = "";

  get text(): string {
    return this.#text;
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    this.#text += String(chunk);
    done();
  }
}
