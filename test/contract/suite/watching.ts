import assert from "node:assert/strict";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { at, type JsonObject } from "../../../src/json/value.ts";
import type { Context } from "./context.ts";

export interface Watching {
  /** The type and the object of the next event. @throws Error where none comes within ten seconds, or the stream ends */
  next(): Promise<[type: string, object: JsonObject]>;
  /** As `next`, but the event as its type and the object's name, which is mostly what matters. */
  nextName(): Promise<[type: string, name: string]>;
  /** Resolves when the server ends the stream. */
  readonly ended: Promise<unknown>;
}

const LONGEST_WAIT_MS = 10_000;

/** Opens a watch that ends with the case. */
export async function watch(
  context: Context,
  path: string,
  query: Record<string, string>,
): Promise<Watching> {
  const parameters = new URLSearchParams({ watch: "true", ...query });
  const stream = await context.server.stream(`${path}?${parameters}`);
  context.after(() => stream.destroy());
  assert.equal(stream.statusCode, 200);
  stream.on("error", () => {}); // destroyed by us
  const ended = once(stream, "close");
  const events: JsonObject[] = [];
  let wake = Promise.withResolvers<void>();
  createInterface(stream).on("line", (line) => {
    events.push(JSON.parse(line));
    wake.resolve();
  });

  const next = async (): Promise<[string, JsonObject]> => {
    const late = AbortSignal.timeout(LONGEST_WAIT_MS);
    while (events.length === 0) {
      if (stream.closed) assert.fail("the watch ended");
      await Promise.race([wake.promise, ended, once(late, "abort")]);
      if (late.aborted) assert.fail(`no event in ${LONGEST_WAIT_MS} ms`);
      wake = Promise.withResolvers();
    }
    const { type, object } = events.shift() as JsonObject;
    return [String(type), object as JsonObject];
  };
  return {
    next,
    async nextName() {
      const [type, object] = await next();
      return [type, String(at(object, "metadata", "name"))];
    },
    ended,
  };
}
