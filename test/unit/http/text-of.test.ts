import assert from "node:assert/strict";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { describe, it } from "node:test";
import { textOf } from "../../../src/http/text-of.ts";

/** An answer of these chunks, which then ends or breaks off. */
function answer(chunks: readonly Buffer[], end: Error | null = null): IncomingMessage {
  const message = new IncomingMessage(new Socket());
  for (const chunk of chunks) message.push(chunk);
  if (end === null) {
    message.complete = true;
    message.push(null);
  } else setImmediate(() => message.destroy(end));
  return message;
}

describe("the text of an answer", () => {
  it("is whole, where a chunk ends within a character too", async () => {
    const bytes = Buffer.from("größer");
    assert.equal(await textOf(answer([bytes.subarray(0, 3), bytes.subarray(3)]), 6), "größer");
  });

  it("is empty where there is none", async () => assert.equal(await textOf(answer([]), 0), ""));

  it("is none where it is too long, and no more of it is read", async () => {
    const long = answer([Buffer.from("1234567")]);
    await assert.rejects(textOf(long, 6), /the answer is too large/);
    assert.ok(long.destroyed);
  });

  it("is none where it breaks off", async () =>
    assert.rejects(textOf(answer([Buffer.from("1")], new Error("gone")), 6), /gone/));
});
