import { request } from "node:http";
import type { Duplex } from "node:stream";
import { connect, type TLSSocket } from "node:tls";
import { textOf } from "../http/text-of.ts";
import { parseObject } from "../json/parse.ts";
import type { JsonObject } from "../json/value.ts";

/** How a pod is spoken to. */
export interface Access {
  /** The pod's port; made for each call. */
  open(): Promise<Duplex>;
  /** What its certificate must be for, and who must vouch for it. */
  readonly dnsName: string;
  readonly ca: string;
  readonly token: string;
}

export interface PodAnswer {
  readonly status: number;
  readonly body: JsonObject;
}

/** Characters. */
const LARGEST_ANSWER = 1024 * 1024;

/** Calls a pod's reload API. The token goes out only once the certificate was verified. Rejects where no whole answer comes in time. */
export async function callPod(
  { open, dnsName, ca, token }: Access,
  path: string,
  body: object | undefined,
  timeoutMs: number,
): Promise<PodAnswer> {
  const signal = AbortSignal.timeout(timeoutMs);
  const stream = await open();
  try {
    const socket = await secured(stream, dnsName, ca, signal);
    return await new Promise((resolve, reject) => {
      const fail = (error: Error): void =>
        reject(signal.aborted ? new Error(`nothing in ${timeoutMs} ms`, { cause: error }) : error);
      const call = request({
        createConnection: () => socket,
        host: dnsName,
        path,
        method: body === undefined ? "GET" : "POST",
        signal,
        headers: {
          authorization: `Bearer ${token}`,
          connection: "close",
          ...(body !== undefined && { "content-type": "application/json" }),
        },
      });
      call.on("response", (response) => {
        const { statusCode: status = 0 } = response;
        const read = (text: string) => resolve({ status, body: parseObject(text) ?? {} });
        textOf(response, LARGEST_ANSWER).then(read, fail);
      });
      call.on("error", fail).end(body === undefined ? undefined : JSON.stringify(body));
    });
  } finally {
    stream.destroy();
  }
}

function secured(stream: Duplex, servername: string, ca: string, signal: AbortSignal): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ socket: stream, servername, ca, minVersion: "TLSv1.2" }, () => resolve(socket));
    socket.on("error", reject);
    stream.on("error", reject);
    // A stream that ends before there is TLS: nobody listens there.
    stream.on("close", () =>
      reject(new Error("the connection was closed: is the reload API's certificate there?")),
    );
    signal.addEventListener("abort", () => socket.destroy(new Error("no TLS in time")), { once: true });
  });
}
