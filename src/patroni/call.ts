import { type IncomingMessage, request as plainRequest } from "node:http";
import { type RequestOptions, request as secureRequest } from "node:https";
import type { RestTarget } from "./rest.ts";

/** What a call answers is a few kilobytes. */
const LARGEST_BODY = 256 * 1024;

export interface Call {
  readonly method: "GET" | "POST" | "PATCH";
  readonly path: string;
  readonly body?: object;
  /** `user:password` of the REST API, asked for by every method but GET where Patroni has a `restapi.authentication`. */
  readonly auth?: string | undefined;
  readonly timeoutMs: number;
}

export interface CallAnswer {
  readonly code: number;
  /** As it came: Patroni answers some calls in plain words. */
  readonly text: string;
}

/** Calls a member's REST API, also the parts that change something. Rejects where no whole answer comes in time. */
export function callPatroni({ scheme, host, port, tls }: RestTarget, call: Call): Promise<CallAnswer> {
  const { method, path, timeoutMs } = call;
  const body = call.body === undefined ? undefined : JSON.stringify(call.body);
  const signal = AbortSignal.timeout(timeoutMs);
  const options: RequestOptions = {
    host,
    port,
    path,
    method,
    agent: false,
    signal,
    ...(call.auth === undefined ? {} : { auth: call.auth }),
    // Patroni's server reads as many bytes as it is told, and none where it is not.
    headers:
      body === undefined
        ? {}
        : { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
  };
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void =>
      reject(signal.aborted ? new Error(`nothing in ${timeoutMs} ms`, { cause: error }) : error);
    const take = (response: IncomingMessage): void => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > LARGEST_BODY) response.destroy(new Error("the answer is too large"));
      });
      response.on("error", fail);
      response.on("end", () => resolve({ code: response.statusCode ?? 0, text }));
    };
    const sent =
      scheme === "http" ? plainRequest(options, take) : secureRequest({ ...options, ...tls }, take);
    sent.on("error", fail).end(body);
  });
}
