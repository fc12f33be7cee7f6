import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { isObject, type JsonObject } from "../json/value.ts";

/** An answer, or that there was none (`code` 0). */
export interface ApiAnswer {
  readonly code: number;
  readonly body: JsonObject;
  readonly retryAfterMs: number;
  /** What is wrong, in the server's words or the network's; empty for 2xx. */
  readonly problem: string;
}

export interface ApiRequest {
  readonly method: "GET" | "PUT" | "POST";
  readonly path: string;
  readonly body?: JsonObject;
  readonly timeoutMs: number;
}

const LARGEST_BODY = 1024 * 1024;

/**
 * As much of a Kubernetes client as the sidecar needs, on node:https alone (it lives in 64 MiB). The token is read anew for every
 * connection attempt that needs one, for the kubelet renews the file; a 401 is tried once again, in case it was renewed just now.
 */
export class KubeApi {
  readonly #host: string;
  readonly #port: string;
  readonly #tokenDir: string;
  readonly #agent: Agent;
  /** Counts answers by code; 0 is no answer. */
  readonly onAnswer: (code: number) => void;

  constructor(
    environment: NodeJS.ProcessEnv,
    tokenDir: string,
    onAnswer: (code: number) => void = () => undefined,
  ) {
    this.#host = environment.KUBERNETES_SERVICE_HOST ?? "kubernetes.default.svc";
    this.#port = environment.KUBERNETES_SERVICE_PORT ?? "443";
    this.#tokenDir = tokenDir;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 4 });
    this.onAnswer = onAnswer;
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
        this.onAnswer(response.statusCode ?? 0);
        resolve(response);
      });
      call.on("error", reject);
      call.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  async #once(call: ApiRequest): Promise<ApiAnswer> {
    try {
      const answer = await this.#exchange(call);
      this.onAnswer(answer.code);
      return answer;
    } catch (error) {
      this.onAnswer(0);
      return { code: 0, body: {}, retryAfterMs: 0, problem: (error as Error).message };
    }
  }

  #exchange({ method, path, body, timeoutMs }: ApiRequest): Promise<ApiAnswer> {
    return new Promise((resolve, reject) => {
      const call = this.#request(method, path, AbortSignal.timeout(timeoutMs), (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
          if (text.length > LARGEST_BODY) response.destroy(new Error("the answer is too large"));
        });
        response.on("error", reject);
        response.on("end", () => resolve(answerOf(response, text)));
      });
      call.on("error", reject);
      if (body !== undefined) call.setHeader("content-type", "application/json");
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  #request(method: string, path: string, signal: AbortSignal, take: (response: IncomingMessage) => void) {
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
        headers: { authorization: `Bearer ${file("token").trim()}`, accept: "application/json" },
      },
      take,
    );
  }
}

function answerOf(response: IncomingMessage, text: string): ApiAnswer {
  const code = response.statusCode ?? 0;
  const body = parsed(text);
  const retryAfter = Number(response.headers["retry-after"] ?? 0);
  return {
    code,
    body,
    retryAfterMs: Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter * 1000 : 0,
    problem: code >= 200 && code < 300 ? "" : String(body.message ?? response.statusMessage ?? code),
  };
}

function parsed(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
