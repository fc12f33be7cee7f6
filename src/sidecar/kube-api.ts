import { readFileSync } from "node:fs";
import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { textOf } from "../http/text-of.ts";
import { parseObject } from "../json/parse.ts";
import type { JsonObject } from "../json/value.ts";

/** An answer, or that there was none (`code` 0). */
export interface ApiAnswer {
  readonly code: number;
  readonly body: JsonObject;
  readonly retryAfterMs: number;
  /** What is wrong, in the server's words or the network's; empty for 2xx. */
  readonly problem: string;
  /** Nothing was sent: the connection was ready only after `notAfter`. */
  readonly expired: boolean;
}

export interface ApiRequest {
  readonly method: "GET" | "PUT" | "POST";
  readonly path: string;
  readonly body?: JsonObject;
  readonly timeoutMs: number;
  /** Not to be sent when the monotonic clock is past this by the time the connection stands. Milliseconds. */
  readonly notAfter?: number;
}

/** Characters. */
const LARGEST_BODY = 1024 * 1024;
const LONGEST_RETRY_AFTER_MS = 60_000;
/** The keys of ServiceAccount tokens have a type of their own, and the API server insists on it. */
const ACCEPTED = "application/json, application/jwk-set+json";

const USER_AGENT = "patroni-injector-sidecar";

class Expired extends Error {}

/**
 * As much of a Kubernetes client as the sidecar needs, on node:https alone (it lives in 64 MiB). Token and CA are read anew for
 * every request, for the kubelet renews the files; a 401 is tried once again, in case the token was renewed just now.
 */
export class KubeApi {
  readonly #host: string;
  readonly #port: string;
  readonly #tokenDir: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  readonly #onAnswer: (code: number) => void;

  /** @param onAnswer counts answers by code; 0 is no answer */
  constructor(
    environment: NodeJS.ProcessEnv,
    tokenDir: string,
    onAnswer: (code: number) => void = () => undefined,
  ) {
    this.#host = environment.KUBERNETES_SERVICE_HOST ?? "kubernetes.default.svc";
    this.#port = environment.KUBERNETES_SERVICE_PORT ?? "443";
    this.#tokenDir = tokenDir;
    this.#onAnswer = onAnswer;
  }

  /** `host:port`, for people. */
  get address(): string {
    return `${this.#host}:${this.#port}`;
  }

  /** Sends a request and reads the whole answer. Never rejects. */
  async send(call: ApiRequest): Promise<ApiAnswer> {
    const first = await this.#once(call);
    return first.code === 401 ? this.#once(call) : first;
  }

  /** Opens a watch. Rejects where there is no answer; any answer but 200 is given as it is. */
  open(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const call = this.#request("GET", path, signal, (response) => {
        this.#onAnswer(response.statusCode ?? 0);
        resolve(response);
        call.off("error", fail).on("error", () => undefined); // from here on the response tells
      });
      const fail = (error: Error): void => {
        if (!signal.aborted) this.#onAnswer(0);
        reject(error);
      };
      call.on("error", fail);
      call.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  async #once(call: ApiRequest): Promise<ApiAnswer> {
    try {
      const answer = await this.#exchange(call);
      this.#onAnswer(answer.code);
      return answer;
    } catch (error) {
      const expired = error instanceof Expired;
      if (!expired) this.#onAnswer(0);
      return { code: 0, body: {}, retryAfterMs: 0, problem: (error as Error).message, expired };
    }
  }

  #exchange({ method, path, body, timeoutMs, notAfter }: ApiRequest): Promise<ApiAnswer> {
    const signal = AbortSignal.timeout(timeoutMs);
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void =>
        reject(signal.aborted ? new Error(`nothing in ${timeoutMs} ms`, { cause: error }) : error);
      const call = this.#request(method, path, signal, (response) => {
        textOf(response, LARGEST_BODY).then((text) => resolve(answerOf(response, text)), fail);
      });
      call.on("error", fail);
      if (body !== undefined) call.setHeader("content-type", "application/json");
      const payload = body === undefined ? undefined : JSON.stringify(body);
      if (notAfter === undefined) call.end(payload);
      else
        whenConnected(call, () => {
          if (performance.now() > notAfter) call.destroy(new Expired("the observation is too old"));
          else call.end(payload);
        });
    });
  }

  #request(
    method: string,
    path: string,
    signal: AbortSignal,
    take: (response: IncomingMessage) => void,
  ): ClientRequest {
    const file = (name: string): string => readFileSync(join(this.#tokenDir, name), "utf8");
    return request(
      {
        host: this.#host,
        port: this.#port,
        method,
        path,
        signal,
        agent: this.#agent,
        ca: file("ca.crt"),
        headers: {
          authorization: `Bearer ${file("token").trim()}`,
          accept: ACCEPTED,
          "user-agent": USER_AGENT,
        },
      },
      take,
    );
  }
}

/** A request goes out with the first byte of its body or its end; until then only the connection is made. */
function whenConnected(call: ClientRequest, ready: () => void): void {
  call.once("socket", (socket) => {
    const { secureConnecting } = socket as TLSSocket & { readonly secureConnecting?: boolean };
    if (secureConnecting) socket.once("secureConnect", ready);
    else ready();
  });
}

function answerOf(response: IncomingMessage, text: string): ApiAnswer {
  const code = response.statusCode ?? 0;
  const body = parseObject(text) ?? {};
  return {
    code,
    body,
    retryAfterMs: retryAfterMs(response.headers["retry-after"]),
    problem: code >= 200 && code < 300 ? "" : String(body.message ?? response.statusMessage ?? code),
    expired: false,
  };
}

/** The API server gives seconds. */
export function retryAfterMs(header: string | undefined): number {
  const seconds = Number(header ?? 0);
  return seconds > 0 ? Math.min(seconds * 1000, LONGEST_RETRY_AFTER_MS) : 0;
}
