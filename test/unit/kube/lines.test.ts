import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import fc from "fast-check";
import { linesOf } from "../../../src/kube/lines.ts";

async function* streamOf(...chunks: readonly (Buffer | Error)[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) {
    if (chunk instanceof Error) throw chunk;
    yield chunk;
  }
}

const all = (chunks: AsyncIterable<Buffer>): Promise<string[]> => Readable.from(linesOf(chunks)).toArray();

const text = (value: string) => Buffer.from(value);

describe("linesOf", () => {
  it("joins what was cut apart, and keeps a last line without an end", async () => {
    const stream = streamOf(text("on"), text("e\ntwo\nth"), text("ree"));
    assert.deepEqual(await all(stream), ["one", "two", "three"]);
  });

  it("gives nothing for nothing", async () => {
    assert.deepEqual(await all(streamOf()), []);
  });

  it("gives the same lines wherever the bytes were cut", async () => {
    const line = fc.string({ unit: "grapheme" }).map((value) => value.replaceAll("\n", ""));
    const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(fc.array(line), sizes, async (lines, cuts) => {
        const bytes = text(lines.map((value) => `${value}\n`).join(""));
        const chunks: Buffer[] = [];
        for (let at = 0, index = 0; at < bytes.length; index++) {
          const size = cuts[index % cuts.length] as number;
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        assert.deepEqual(await all(streamOf(...chunks)), lines);
      }),
    );
  });

  it("throws what the stream throws, after the lines before it", async () => {
    const seen: string[] = [];
    await assert.rejects(async () => {
      for await (const line of linesOf(streamOf(text("one\ntw"), new Error("broken")))) seen.push(line);
    }, /broken/);
    assert.deepEqual(seen, ["one"]);
  });
});
