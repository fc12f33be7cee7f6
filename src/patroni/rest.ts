import { type IncomingMessage, request as plainRequest } from "node:http";
import { type RequestOptions, request as secureRequest } from "node:https";
import { textOf } from "../http/text-of.ts";

/** Patroni answers from memory and one SQL query; what takes longer is no answer. Milliseconds. */
export const PATRONI_TIMEOUT_MS = 1000;

/** What a member answers is a few kilobytes. Characters. */
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
  /** The server's clock, to the second (the header `Date`). */
  readonly date: Date | undefined;
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
    agent: false, // Patroni speaks HTTP/1.0: a connection a request
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
      const { statusCode: code = 0 } = response;
      const read = (text: string) => resolve({ code, text, date: dateIn(response) });
      textOf(response, LARGEST_BODY).then(read, fail);
    };
    const sent =
      scheme === "http" ? plainRequest(options, take) : secureRequest({ ...options, ...tls }, take);
    sent.on("error", fail).end(body);
  });
}

export interface RestAnswer {
  readonly code: number;
  /** Undefined where the body is no JSON. */
  readonly body: unknown;
  readonly date?: Date | undefined;
}

/** `GET`. Rejects where no whole answer comes in time. */
export async function askPatroni(target: RestTarget, path: string): Promise<RestAnswer> {
  const call = { method: "GET", path, timeoutMs: PATRONI_TIMEOUT_MS } as const;
  const { code, text, date } = await callPatroni(target, call);
  return { code, body: parsed(text), date };
}

function dateIn({ headers }: IncomingMessage): Date | undefined {
  const date = new Date(headers.date ?? "");
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
