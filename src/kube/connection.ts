import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent, type RequestOptions, request } from "node:https";
import { KubeConfig } from "@kubernetes/client-node";
import { FIELD_MANAGER } from "../contract/names.ts";
import { asString, at, isObject, type Json, type JsonObject, objectsIn } from "../json/value.ts";
import { KubeError } from "./error.ts";

/** No ordinary request takes longer. Milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;

/** A page of 500 objects of the largest size that etcd takes would be larger; pages of real ones are a few MB. */
const LARGEST_ANSWER_BYTES = 64 * 1024 * 1024;

/** An idle connection is closed by us: an API server keeps one for 90 s, and a request must not meet its end. */
const KEEP_ALIVE = { keepAlive: true, timeout: 30_000 } as const;

/** A peer that is gone without a word is noticed some ten seconds after this. Milliseconds. */
const TCP_KEEP_ALIVE_MS = 15_000;

export interface KubeRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Without a query. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Json;
  /** Default: JSON. A PATCH must say which kind of patch it is. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** An answer that is larger is none. Default: as large as a page of a list may be. */
  readonly largestBytes?: number;
}

/**
 * A connection to one API server. Objects go in and come out as they are on the wire: a typed client would drop the
 * fields that it does not know. Every failure is a {@link KubeError}.
 *
 * client-node knows who we are and whom we trust (kubeconfig, tokens, proxies); the requests are made here, because its
 * own watch hides an answer's status, reason and `Retry-After`.
 */
export class KubeConnection {
  readonly #load: () => KubeConfig;
  /** Connections that are kept, each for requests of the same credentials. */
  readonly #agents = { plain: new PlainAgent(KEEP_ALIVE), secure: new Agent(KEEP_ALIVE) };
  #loaded: KubeConfig | undefined;
  /** What the newest answer said of the time, and when it came, on a clock that nobody can set. */
  #heard: { readonly date: number; readonly atMs: number } | undefined;

  /**
   * @param load reads the credentials. Called now, and again after every failure that a rotated token, certificate or
   *   authority explains: client-node itself keeps a token for a minute, and certificates for ever.
   */
  constructor(load: () => KubeConfig) {
    this.#load = load;
    this.#loaded = load();
  }

  /** The time on the API server's clock, by its newest answer; exact to about a second. Undefined before the first answer. */
  serverTime(): Date | undefined {
    return this.#heard && new Date(this.#heard.date + performance.now() - this.#heard.atMs);
  }

  /** Sends a request and reads its whole answer, which is a JSON object. */
  async send(call: KubeRequest): Promise<JsonObject> {
    return (await this.ask(call)).body;
  }

  /** The same, with the clock of the server that answered: through the API server's proxy that is whoever is behind it. */
  async ask(call: KubeRequest): Promise<{ readonly body: JsonObject; readonly date: Date | undefined }> {
    const deadline = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const signal = call.signal === undefined ? deadline : AbortSignal.any([call.signal, deadline]);
    const response = await this.open({ ...call, signal });
    const body = parsed(await textOf(response, call.largestBytes));
    if (body === undefined) throw new KubeError(`${nameOf(call)}: the answer is no JSON object`, { code: 0 });
    const date = Date.parse(response.headers.date ?? "");
    return { body, date: Number.isNaN(date) ? undefined : new Date(date) };
  }

  /** Sends a request, and gives the answer as it streams in; its status is 2xx. Without an end of its own. */
  async open(call: KubeRequest): Promise<IncomingMessage> {
    const config = this.#config(call);
    const first = await this.#exchange(config, call);
    if (first.statusCode !== 401) return accepted(first, call);
    first.resume();
    this.#forget(config);
    return accepted(await this.#exchange(this.#config(call), call), call);
  }

  #config(call: KubeRequest): KubeConfig {
    try {
      this.#loaded ??= this.#load();
      return this.#loaded;
    } catch (error) {
      throw unanswered(call, error);
    }
  }

  /** The next request reads the credentials anew, unless another one has done so already. */
  #forget(config: KubeConfig): void {
    if (this.#loaded === config) this.#loaded = undefined;
  }

  #hear(header: string | undefined): void {
    const date = Date.parse(header ?? "");
    if (!Number.isNaN(date)) this.#heard = { date, atMs: performance.now() };
  }

  async #exchange(config: KubeConfig, call: KubeRequest): Promise<IncomingMessage> {
    const payload = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
    const options: RequestOptions = { method: call.method, headers: headersOf(call, payload) };
    if (call.signal !== undefined) options.signal = call.signal;
    try {
      await config.applyToHTTPSOptions(options);
      const url = urlOf(config, call);
      const { plain, secure } = this.#agents;
      if (!config.getCurrentCluster()?.proxyUrl) options.agent = url.protocol === "http:" ? plain : secure;
      const response = await exchanged(url, options, payload);
      this.#hear(response.headers.date);
      return response;
    } catch (error) {
      if (call.signal?.aborted !== true) this.#forget(config);
      throw unanswered(call, error);
    }
  }
}

/**
 * Connects by this kubeconfig, or as the pod that the process runs in. Nothing is sent yet.
 *
 * @throws Error where the file cannot be read, or names no cluster
 */
export const connect = (kubeconfig: string | undefined): KubeConnection =>
  new KubeConnection(credentials(kubeconfig));

/** What {@link connect} connects by; calling it throws as that does. */
export function credentials(kubeconfig: string | undefined): () => KubeConfig {
  return () => {
    const config = new KubeConfig();
    try {
      if (kubeconfig === undefined) config.loadFromCluster();
      else config.loadFromFile(kubeconfig);
    } catch (error) {
      throw new Error(`kubeconfig ${kubeconfig ?? "of the pod"}: ${messageOf(error)}`, { cause: error });
    }
    if (!config.getCurrentCluster()?.server) {
      throw new Error(`kubeconfig ${kubeconfig ?? "of the pod"}: its current context names no cluster`);
    }
    return config;
  };
}

function urlOf(config: KubeConfig, { path, query = {} }: KubeRequest): URL {
  const server = config.getCurrentCluster()?.server ?? "";
  const text = new URLSearchParams(query).toString();
  return new URL(`${server.replace(/\/$/, "")}${path}${text === "" ? "" : `?${text}`}`);
}

/** The length is said: of a DELETE, Node would send the body without it, and the server would take it for another request. */
function headersOf({ contentType }: KubeRequest, payload: Buffer | undefined): Record<string, string> {
  const headers = { accept: "application/json", "user-agent": FIELD_MANAGER };
  if (payload === undefined) return headers;
  const about = { "content-type": contentType ?? "application/json", "content-length": `${payload.length}` };
  return { ...headers, ...about };
}

function exchanged(url: URL, options: RequestOptions, payload: Buffer | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === "http:" ? plainRequest : request;
    const outgoing = send(url, options, resolve);
    outgoing.setSocketKeepAlive(true, TCP_KEEP_ALIVE_MS);
    outgoing.on("error", reject);
    outgoing.end(payload);
  });
}

async function accepted(response: IncomingMessage, call: KubeRequest): Promise<IncomingMessage> {
  const code = response.statusCode ?? 0;
  if (code >= 200 && code < 300) return response;
  // A proxy answers in HTML, or the answer breaks off: the status code is what counts.
  const status = parsed(await textOf(response).catch(() => "")) ?? {};
  const retryAfter = Number(response.headers["retry-after"]);
  throw new KubeError(
    `${nameOf(call)}: ${code} ${asString(status.message) ?? response.statusMessage ?? ""}`,
    {
      code,
      reason: asString(status.reason) ?? "",
      causes: objectsIn(at(status, "details", "causes")).flatMap(({ reason }) => asString(reason) ?? []),
      retryAfterSeconds: Number.isFinite(retryAfter) && retryAfter >= 0 ? retryAfter : undefined,
    },
  );
}

async function textOf(response: IncomingMessage, largestBytes = LARGEST_ANSWER_BYTES): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > largestBytes) throw new Error(`larger than ${largestBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw new KubeError(`the answer broke off: ${messageOf(error)}`, { code: 0 }, { cause: error });
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const nameOf = ({ method, path }: KubeRequest): string => `${method} ${path}`;

const unanswered = (call: KubeRequest, error: unknown): KubeError =>
  new KubeError(`${nameOf(call)}: ${messageOf(error)}`, { code: 0 }, { cause: error });

/** Of an attempt on several addresses (IPv6 and IPv4) Node says nothing but the code. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ((error as NodeJS.ErrnoException).code ?? error.name);
}
