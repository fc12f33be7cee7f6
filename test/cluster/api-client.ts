import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { Agent, request as send } from "node:https";
import { text } from "node:stream/consumers";
import type { Json } from "../../src/json/value.ts";

export interface ApiResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Parsed where the answer is JSON, else its text. */
  readonly body: Json;
}

/** Sends one request. `path` includes the query; a body goes as JSON unless a Content-Type says otherwise. */
export type ApiRequest = (
  method: string,
  path: string,
  body?: Json,
  headers?: Readonly<Record<string, string>>,
) => Promise<ApiResponse>;

export interface ApiClient {
  readonly request: ApiRequest;
  /** Asks with GET and gives the answer as soon as it begins, for a watch; the caller destroys it. */
  readonly stream: (path: string) => Promise<IncomingMessage>;
  /** Closes idle connections. */
  close(): void;
}

/** Who asks: a client certificate or a bearer token. */
export type Credentials = { readonly certPem: string; readonly keyPem: string } | { readonly token: string };

const TIMEOUT_MS = 30_000;

/** A client that shows every status, header and body as they came: nothing is retried, no status is an error. */
export function createApiClient(url: string, caPem: string, credentials: Credentials): ApiClient {
  const identity = "token" in credentials ? {} : { cert: credentials.certPem, key: credentials.keyPem };
  const authorization = "token" in credentials ? { authorization: `Bearer ${credentials.token}` } : {};
  const agent = new Agent({ keepAlive: true, ca: caPem, ...identity });

  const request: ApiRequest = (method, path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : encode(body);
      const outgoing = send(new URL(path, url), {
        method,
        agent,
        timeout: TIMEOUT_MS,
        headers: {
          accept: "application/json",
          ...(payload && { "content-type": "application/json", "content-length": payload.byteLength }),
          ...authorization,
          ...headers,
        },
      });
      outgoing.on("timeout", () =>
        outgoing.destroy(new Error(`${method} ${path}: no answer in ${TIMEOUT_MS} ms`)),
      );
      outgoing.on("error", reject);
      outgoing.on("response", (incoming) => read(incoming).then(resolve, reject));
      outgoing.end(payload);
    });

  const stream = (path: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { accept: "application/json", ...authorization };
      send(new URL(path, url), { agent, headers }).on("error", reject).on("response", resolve).end();
    });

  return { request, stream, close: () => agent.destroy() };
}

async function read(incoming: IncomingMessage): Promise<ApiResponse> {
  const content = await text(incoming);
  const isJson = /\bjson\b/.test(incoming.headers["content-type"] ?? "");
  const body = isJson ? (JSON.parse(content) as Json) : content;
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body };
}

/** A string is sent as it is, for YAML or for JSON that must be malformed. */
function encode(body: Json): Buffer {
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}
