import { type IncomingMessage, request as plainRequest } from "node:http";
import { type RequestOptions, request } from "node:https";
import { KubeConfig } from "@kubernetes/client-node";
import { asString, isObject, type JsonObject } from "../json/value.ts";
import { KubeError } from "./error.ts";

/** No ordinary request takes longer. Milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;

/** An answer larger than this is not ours to read: 10,000 Services come in pages. */
const LARGEST_ANSWER = 64 * 1024 * 1024;

export interface KubeRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With its query. */
  readonly path: string;
  readonly body?: JsonObject;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

/**
 * A connection to one API server. Objects go in and come out as they are on the wire: a typed client would drop the fields
 * that it does not know. Every failure is a {@link KubeError}.
 */
export class KubeConnection {
  readonly #load: () => KubeConfig;
  #config: KubeConfig;

  /** @param load reads the credentials anew, for when a token has expired */
  constructor(load: () => KubeConfig) {
    this.#load = load;
    this.#config = load();
  }

  /** Sends a request and reads its whole answer. */
  async send(call: KubeRequest): Promise<JsonObject> {
    const deadline = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const signal = call.signal === undefined ? deadline : AbortSignal.any([call.signal, deadline]);
    const response = await this.open({ ...call, signal });
    return parsed(await textOf(response));
  }

  /** Sends a request and gives the answer as it streams in. Its status is 2xx. */
  async open(call: KubeRequest): Promise<IncomingMessage> {
    const first = await this.#exchange(call);
    if (first.statusCode !== 401) return accepted(first, call);
    first.resume();
    this.#config = this.#load();
    return accepted(await this.#exchange(call), call);
  }

  async #exchange(call: KubeRequest): Promise<IncomingMessage> {
    const cluster = this.#config.getCurrentCluster();
    if (cluster === null) throw new KubeError("the kubeconfig has no current cluster", { code: 0 });
    const url = new URL(cluster.server.replace(/\/$/, "") + call.path);
    const options: RequestOptions = { method: call.method, headers: headersOf(call) };
    if (call.signal !== undefined) options.signal = call.signal;
    try {
      await this.#config.applyToHTTPSOptions(options);
      return await exchanged(url, options, call.body);
    } catch (error) {
      throw new KubeError(`${call.method} ${call.path}: ${messageOf(error)}`, { code: 0 }, { cause: error });
    }
  }
}

/** Connects by this kubeconfig, or as the pod that the process runs in. Throws where the file cannot be read. */
export function connect(kubeconfig: string | undefined): KubeConnection {
  return new KubeConnection(() => {
    const config = new KubeConfig();
    if (kubeconfig === undefined) config.loadFromCluster();
    else config.loadFromFile(kubeconfig);
    return config;
  });
}

function headersOf({ body, contentType }: KubeRequest): Record<string, string> {
  const headers = { accept: "application/json", "user-agent": "patroni-injector" };
  return body === undefined ? headers : { ...headers, "content-type": contentType ?? "application/json" };
}

function exchanged(
  url: URL,
  options: RequestOptions,
  body: JsonObject | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === "http:" ? plainRequest : request;
    const outgoing = send(url, options, resolve);
    outgoing.on("error", reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function accepted(response: IncomingMessage, { method, path }: KubeRequest): Promise<IncomingMessage> {
  const code = response.statusCode ?? 0;
  if (code >= 200 && code < 300) return response;
  const status = parsed(await textOf(response).catch(() => ""));
  const retryAfter = Number(response.headers["retry-after"]);
  throw new KubeError(
    `${method} ${path}: ${code} ${asString(status.message) ?? response.statusMessage ?? ""}`,
    {
      code,
      reason: asString(status.reason) ?? "",
      retryAfterSeconds: Number.isFinite(retryAfter) && retryAfter >= 0 ? retryAfter : undefined,
    },
  );
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      size += (chunk as Buffer).length;
      if (size > LARGEST_ANSWER) throw new Error(`the answer is larger than ${LARGEST_ANSWER} bytes`);
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    throw new KubeError(`the answer broke off: ${messageOf(error)}`, { code: 0 }, { cause: error });
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** A text that is no JSON object becomes an empty one: proxies answer in HTML. */
function parsed(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
