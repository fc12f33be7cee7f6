import type { IncomingMessage } from "node:http";
import type { Room } from "./room.ts";

export type Body =
  /** `leave` must be called once the text is needed no more: until then it takes room. */
  | { readonly kind: "whole"; text(): string; leave(): void }
  | { readonly kind: "too-large" }
  /** There was no room for it. */
  | { readonly kind: "no-room" }
  /** The client went away: nobody waits for an answer. */
  | { readonly kind: "aborted" };

/**
 * Collects a request's body, up to `limit` bytes and as long as there is room. What is not kept is thrown away as it comes, so
 * that the client can finish sending and read the answer.
 */
export function readBody(request: IncomingMessage, limit: number, room: Room): Promise<Body> {
  if (Number(request.headers["content-length"]) > limit) {
    request.resume();
    return Promise.resolve({ kind: "too-large" });
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let isKept = true;
    const drop = (kind: "too-large" | "no-room" | "aborted"): void => {
      if (!isKept) return;
      isKept = false;
      chunks.length = 0;
      share.leave();
      resolve({ kind });
    };
    const share = room.enter(() => drop("no-room"));
    request.on("data", (chunk: Buffer) => {
      if (!isKept) return;
      size += chunk.length;
      chunks.push(chunk);
      if (size > limit) drop("too-large");
      else if (!share.add(chunk.length)) drop("no-room");
    });
    request.on("end", () => {
      if (!isKept) return;
      isKept = false;
      share.keep();
      resolve({ kind: "whole", text: () => textOf(chunks), leave: () => share.leave() });
    });
    request.on("error", () => drop("aborted"));
    request.on("close", () => drop("aborted"));
  });
}

function textOf(chunks: readonly Buffer[]): string {
  const [first] = chunks;
  if (first === undefined) return "";
  return (chunks.length === 1 ? first : Buffer.concat(chunks)).toString("utf8");
}
