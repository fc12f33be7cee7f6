import type { Writable } from "node:stream";

/** Writes all of it, and waits until it is out. Ends quietly where nobody reads on (`| head`). */
export function write(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => (error.code === "EPIPE" ? resolve() : reject(error));
    stream.once("error", failed);
    stream.write(text, (error) => {
      if (error) return failed(error);
      stream.off("error", failed);
      return resolve();
    });
  });
}
