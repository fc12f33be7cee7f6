import { type IncomingMessage, get as plainGet } from "node:http";
import { type RequestOptions, get as secureGet } from "node:https";

/** Patroni answers from memory and one SQL query; what takes longer is no answer. Milliseconds. */
export const PATRONI_TIMEOUT_MS = 1000;

/** What is asked of a member is a few kilobytes. */
const LARGEST_BODY = 256 * 1024;

/** Where a member's REST API is, and how it is spoken to. */
export interface RestTarget {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
  readonly tls: Pick<
    RequestOptions,
    "ca" | "cert" | "key" | "servername" | "checkServerIdentity" | "rejectUnauthorized"
  >;
}

export interface RestAnswer {
  readonly code: number;
  /** Undefined where the body is no JSON. */
  readonly body: unknown;
}

/** `GET`. Rejects where no whole answer comes in time. */
export function askPatroni({ scheme, host, port, tls }: RestTarget, path: string): Promise<RestAnswer> {
  const signal = AbortSignal.timeout(PATRONI_TIMEOUT_MS);
  // Patroni speaks HTTP/1.0: a connection a request.
  const options: RequestOptions = { host, port, path, agent: false, signal };
  return new Promise((resolve, reject) => {
    const take = (response: IncomingMessage): void => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > LARGEST_BODY) response.destroy(new Error("the answer is too large"));
      });
      response.on("error", fail);
      response.on("end", () => resolve({ code: response.statusCode ?? 0, body: parsed(text) }));
    };
    const fail = (error: Error): void =>
      reject(signal.aborted ? new Error(`nothing in ${PATRONI_TIMEOUT_MS} ms`, { cause: error }) : error);
    const call = scheme === "http" ? plainGet(options, take) : secureGet({ ...options, ...tls }, take);
    call.on("error", fail);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
