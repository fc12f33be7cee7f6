import type { IncomingMessage } from "node:http";
import { type HttpAnswer, plainProblem, problemAnswer } from "./answers.ts";

/** A request is some fifty bytes. */
const LARGEST_BODY = 4096;

/** The body as JSON, or the answer that refuses it. */
export async function jsonBody(
  request: IncomingMessage,
): Promise<{ json: unknown } | { refused: HttpAnswer }> {
  const [type = ""] = (request.headers["content-type"] ?? "").split(";");
  if (type.trim().toLowerCase() !== "application/json")
    return { refused: plainProblem(415, "the body must be application/json") };
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    // The rest is not read: the connection ends with the answer.
    if (length > LARGEST_BODY)
      return {
        refused: plainProblem(413, `the body is larger than ${LARGEST_BODY} bytes`, { connection: "close" }),
      };
    chunks.push(chunk);
  }
  try {
    return { json: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks))) };
  } catch {
    return { refused: problemAnswer("invalid-request", "the body is not JSON") };
  }
}
