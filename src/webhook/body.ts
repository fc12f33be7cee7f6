import type { IncomingMessage } from "node:http";

export type Body =
  | { readonly kind: "whole"; readonly text: string }
  | { readonly kind: "too-large" }
  /** The client went away: nobody waits for an answer. */
  | { readonly kind: "aborted" };

/**
 * Collects a request's body as UTF-8 text, up to `limit` bytes. What is longer is thrown away as it comes, so that the
 * client can finish sending and read the answer.
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Body> {
  if (Number(request.headers["content-length"]) > limit) {
    request.resume();
    return Promise.resolve({ kind: "too-large" });
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else resolve({ kind: "too-large" });
    });
    request.on("end", () => resolve({ kind: "whole", text: textOf(chunks) }));
    request.on("error", () => resolve({ kind: "aborted" }));
    request.on("close", () => resolve({ kind: "aborted" }));
  });
}

function textOf(chunks: readonly Buffer[]): string {
  const [first] = chunks;
  if (first === undefined) return "";
  return (chunks.length === 1 ? first : Buffer.concat(chunks)).toString("utf8");
}
