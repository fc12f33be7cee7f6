import type { IncomingMessage, ServerResponse } from "node:http";
import { type StatusError, tooLarge } from "./status.ts";

/** As of a real API server (`MaxRequestBodyBytes`). */
const LONGEST_BODY_BYTES = 3 * 1024 * 1024;

/** An answer that is ready to be sent. */
export interface Answer {
  readonly code: number;
  /** JSON, where `headers` do not say otherwise. */
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** @throws StatusError 413 */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > LONGEST_BODY_BYTES) throw tooLarge(LONGEST_BODY_BYTES);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** The media type of a body, without parameters; empty where none is said. */
export const contentTypeOf = (request: IncomingMessage): string =>
  (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";

/** @param warnings sent as one `Warning` header each; repetitions once */
export function send(response: ServerResponse, answer: Answer, warnings: readonly string[]): void {
  // One with control characters is left out, as no header can hold it.
  const shown = new Set(warnings.filter((text) => !/\p{Cc}/u.test(text)));
  if (shown.size > 0) response.setHeader("warning", [...shown].map(warningHeader));
  // As bytes: Node would write a text and the headers before it in one encoding, the text's.
  const body = Buffer.from(answer.body);
  response.writeHead(answer.code, {
    "content-type": "application/json",
    "cache-control": "no-cache, private",
    "content-length": body.length,
    ...answer.headers,
  });
  response.end(body);
}

export function refusal({ status }: StatusError): Answer {
  const seconds = status.details?.retryAfterSeconds;
  return {
    code: status.code,
    body: JSON.stringify(status),
    ...(seconds === undefined ? {} : { headers: { "retry-after": String(seconds) } }),
  };
}

export const ok = (body: object, code = 200): Answer => ({ code, body: JSON.stringify(body) });

export const plain = (body: string): Answer => ({
  code: 200,
  body,
  headers: { "content-type": "text/plain; charset=utf-8" },
});

/** RFC 7234, 5.5, with code 299 as Kubernetes sends it. Header bytes are UTF-8, which Node takes as latin1. */
function warningHeader(text: string): string {
  const quoted = text.replace(/["\\]/g, "\\$&");
  return `299 - "${Buffer.from(quoted).toString("latin1")}"`;
}
