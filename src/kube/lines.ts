import { StringDecoder } from "node:string_decoder";

/**
 * The lines of a stream, without their ends, as they come; a last one that has no end as well. An error of the stream is
 * thrown, which `node:readline` would pass over: a broken connection must not look like the end.
 */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder("utf8");
  let begun: string[] = []; // of a long line, joined once: the cost stays linear
  for await (const chunk of chunks) {
    const [first = "", ...others] = decoder.write(chunk).split("\n");
    begun.push(first);
    for (const next of others) {
      yield begun.join("");
      begun = [next];
    }
  }
  const last = begun.join("") + decoder.end();
  if (last !== "") yield last;
}
