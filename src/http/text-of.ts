import type { IncomingMessage } from "node:http";

/**
 * The whole body of an answer. Rejects where it breaks off, or is longer than it may be: then the connection is closed.
 *
 * @param most characters
 */
export function textOf(response: IncomingMessage, most: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      text += chunk;
      if (text.length > most) response.destroy(new Error("the answer is too large"));
    });
    response.on("error", reject);
    response.on("end", () => resolve(text));
  });
}
