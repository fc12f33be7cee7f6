import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { asString, at, type JsonObject } from "../../src/json/value.ts";
import type { Admission, Hook } from "./hooks.ts";
import { createReview, readVerdict, type Verdict } from "./review.ts";
import { complaint, networkText } from "./webhook-errors.ts";

/** Where a Service's endpoint really listens. */
export interface ServiceAddress {
  readonly host: string;
  readonly port: number;
  /** Name asked for in TLS, and checked in the certificate; absent: `<name>.<namespace>.svc`. */
  readonly servername?: string;
}

export type ResolveService = (namespace: string, name: string, port: number) => ServiceAddress | undefined;

/** How often one call is tried again, as client-go does. */
const RETRIES = 10;

interface Endpoint {
  /** Host and port as they are called, which need not be those that are dialled. */
  readonly authority: string;
  /** With the query. */
  readonly path: string;
  readonly host: string;
  readonly port: number;
  readonly servername: string;
  readonly caPem: string;
}

/** Calls webhooks over HTTPS, with connections kept alive between calls. */
export class WebhookClient {
  readonly #resolveService: ResolveService;
  readonly #agents = new Map<string, Agent>();

  constructor(resolveService: ResolveService) {
    this.#resolveService = resolveService;
  }

  /** As `CallWebhook`. */
  async call(hook: Hook, admission: Admission): Promise<Verdict | string> {
    const uid = randomUUID();
    const body = JSON.stringify(createReview(uid, admission));
    const endpoint = this.#endpoint(hook);
    if (typeof endpoint === "string") return `failed to call webhook: ${endpoint}`;
    const signal = AbortSignal.timeout(hook.timeoutSeconds * 1000);
    try {
      const answer = await this.#post(endpoint, body, signal);
      return answer.code < 300
        ? readVerdict(uid, answer.body)
        : `failed to call webhook: ${complaint(answer)}`;
    } catch (error) {
      return `failed to call webhook: Post "https://${endpoint.authority}${endpoint.path}": ${networkText(error, signal.aborted, endpoint)}`;
    }
  }

  /** Closes idle connections; calls under way go on. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  #endpoint({ clientConfig, timeoutSeconds }: Hook): Endpoint | string {
    const caPem = Buffer.from(asString(clientConfig.caBundle) ?? "", "base64").toString();
    const target = asString(clientConfig.url) ?? serviceUrl(clientConfig);
    const authority = /^https:\/\/([^/?#]+)/.exec(target ?? "")?.[1];
    if (target === undefined || authority === undefined || !URL.canParse(target)) {
      return "webhook configuration must have either service or URL";
    }
    const { hostname, port: explicit, pathname } = new URL(target);
    const port = Number(explicit || 443);
    const path = `${pathname}?timeout=${timeoutSeconds}s`;
    const named = { authority, path, caPem };
    if (clientConfig.url !== undefined) {
      return { ...named, host: hostname, port, servername: isIP(hostname) ? "" : hostname };
    }
    const [name, namespace] = [at(clientConfig, "service", "name"), at(clientConfig, "service", "namespace")];
    const address = this.#resolveService(String(namespace), String(name), port);
    if (address === undefined) return `Post "https://${authority}${path}": service "${name}" not found`;
    return { ...named, host: address.host, port: address.port, servername: address.servername ?? hostname };
  }

  async #post(endpoint: Endpoint, body: string, signal: AbortSignal): Promise<Answer> {
    for (let retry = 0; ; retry++) {
      const answer = await send(endpoint, this.#agent(endpoint), body, signal);
      if (retry === RETRIES || answer.retryAfter === undefined || !isRetryable(answer.code)) return answer;
      await sleep(answer.retryAfter * 1000, undefined, { signal });
    }
  }

  /** One pool for each endpoint and bundle: a changed bundle never rides on an old connection. */
  #agent({ host, port, servername, caPem }: Endpoint): Agent {
    const key = JSON.stringify([host, port, servername, caPem]);
    const agent = this.#agents.get(key) ?? new Agent({ keepAlive: true, ca: caPem === "" ? [] : caPem });
    this.#agents.set(key, agent);
    return agent;
  }
}

interface Answer {
  readonly code: number;
  readonly body: string;
  /** The body is plain text: only then is it quoted. */
  readonly isText: boolean;
  /** Seconds. */
  readonly retryAfter: number | undefined;
}

function send(endpoint: Endpoint, agent: Agent, body: string, signal: AbortSignal): Promise<Answer> {
  const { authority, path, host, port, servername } = endpoint;
  return new Promise((resolve, reject) => {
    const request = httpsRequest({
      agent,
      signal,
      host,
      port,
      servername,
      method: "POST",
      path,
      headers: {
        host: authority,
        accept: "application/json, */*",
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        "user-agent": "kube-apiserver-admission",
      },
    });
    request.on("error", reject);
    request.on("response", (response) => {
      readAnswer(response).then(resolve, reject);
    });
    request.end(body);
  });
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const seconds = Number(response.headers["retry-after"] ?? Number.NaN);
  return {
    code: response.statusCode ?? 0,
    body: Buffer.concat(chunks).toString(),
    isText: (response.headers["content-type"] ?? "").startsWith("text/"),
    retryAfter: Number.isInteger(seconds) && seconds >= 0 ? seconds : undefined,
  };
}

const isRetryable = (code: number): boolean => code === 429 || code >= 500;

function serviceUrl(clientConfig: JsonObject): string | undefined {
  const service = clientConfig.service;
  const [name, namespace] = [at(service, "name"), at(service, "namespace")];
  if (typeof name !== "string" || typeof namespace !== "string") return undefined;
  const path = String(at(service, "path") ?? "/");
  return `https://${name}.${namespace}.svc:${at(service, "port") ?? 443}${path.startsWith("/") ? path : `/${path}`}`;
}
