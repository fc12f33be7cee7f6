import { Agent, createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createAuthority, issueServerCertificate } from "../../../demo/kube-api/certificate.ts";
import { type KubeApi, type KubeApiOptions, startKubeApi } from "../../../demo/kube-api/server.ts";
import type { Json, JsonObject } from "../../../src/json/value.ts";

/** Anything with an end to it, such as a test's context. */
export interface Scope {
  after(end: () => Promise<void> | void): void;
}

/** A server for the time of one test. */
export async function startServer(scope: Scope, options: KubeApiOptions = {}): Promise<KubeApi> {
  const api = await startKubeApi(options);
  scope.after(() => api.close());
  return api;
}

export interface RawAnswer {
  readonly code: number;
  readonly warnings: string[];
  readonly headers: Headers;
  readonly body: JsonObject;
}

const agents = new WeakMap<KubeApi, Agent>();

function agentOf(api: KubeApi): Agent {
  const agent = agents.get(api) ?? new Agent({ keepAlive: true, maxSockets: 8, ca: api.caPem });
  agents.set(api, agent);
  return agent;
}

/** One request with nothing between: what is sent and answered byte by byte. */
export async function raw(
  api: KubeApi,
  method: string,
  path: string,
  body?: Json | string,
  contentType = "application/json",
): Promise<RawAnswer> {
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const call = request(api.url + path, {
      method,
      agent: agentOf(api),
      headers: {
        authorization: `Bearer ${api.tokens.issue("raw")}`,
        ...(text === undefined
          ? {}
          : { "content-type": contentType, "content-length": Buffer.byteLength(text) }),
      },
    });
    call.on("error", reject);
    call.on("response", async (response) => {
      let answer = "";
      for await (const chunk of response) answer += chunk;
      const pairs = Array.from({ length: response.rawHeaders.length / 2 }, (_, index) => {
        return [response.rawHeaders[2 * index] ?? "", response.rawHeaders[2 * index + 1] ?? ""] as [
          string,
          string,
        ];
      });
      resolve({
        code: response.statusCode ?? 0,
        warnings: pairs.filter(([name]) => name.toLowerCase() === "warning").map(([, value]) => value),
        headers: new Headers(pairs),
        body: answer.startsWith("{") ? JSON.parse(answer) : { text: answer },
      });
    });
    call.end(text);
  });
}

/** Waits until something holds. @throws Error after ten seconds */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`still not: ${what}`);
    await sleep(5);
  }
}

export const pod = (name: string, more: JsonObject = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, ...((more.metadata as JsonObject | undefined) ?? {}) },
  spec: {
    containers: [{ name: "postgres", image: "postgres" }],
    ...((more.spec as JsonObject | undefined) ?? {}),
  },
});

export interface WebhookCall {
  readonly path: string;
  readonly review: { request: JsonObject & { uid: string; object: JsonObject } };
}

export interface WebhookReply {
  readonly code?: number;
  readonly headers?: Record<string, string>;
  /** The whole answer, or what `response` holds beside the uid. */
  readonly body?: string;
  readonly response?: JsonObject;
  /** Milliseconds before the answer. */
  readonly delay?: number;
  /** What must be over before the answer. */
  readonly after?: Promise<unknown>;
}

/** A webhook that answers as each test says, and remembers how it was called. */
export async function startWebhook(scope: Scope, reply: (call: WebhookCall) => WebhookReply) {
  const authority = createAuthority("webhook authority");
  const calls: WebhookCall[] = [];
  let connections = 0;
  const certificate = issueServerCertificate(authority, ["localhost", "127.0.0.1", "hook.test.svc"]);
  const server = createServer(certificate, async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const call = { path: request.url ?? "", review: JSON.parse(text) };
    calls.push(call);
    const { code = 200, headers = {}, body, response: fields = {}, delay = 0, after } = reply(call);
    if (delay > 0) await sleep(delay, undefined, { ref: false });
    await after;
    const uid = call.review.request.uid;
    const review = {
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      response: { uid, ...fields },
    };
    response.writeHead(code, { "content-type": "application/json", ...headers });
    response.end(body ?? JSON.stringify(review));
  });
  server.on("secureConnection", () => connections++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  scope.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const caBundle = Buffer.from(authority.pem).toString("base64");
  return {
    calls,
    port,
    caBundle,
    get connections() {
      return connections;
    },
    /** A configuration of one webhook that calls this server for new pods. */
    configuration: (name: string, more: JsonObject = {}, path = `/${name}`) => ({
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "MutatingWebhookConfiguration",
      metadata: { name },
      webhooks: [
        {
          name: `${name}.test`,
          admissionReviewVersions: ["v1"],
          sideEffects: "None",
          clientConfig: { url: `https://127.0.0.1:${port}${path}`, caBundle },
          rules: [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] }],
          ...more,
        },
      ],
    }),
  };
}

/** The response that allows a request with a JSON patch. */
export const patched = (...operations: JsonObject[]): JsonObject => ({
  allowed: true,
  patchType: "JSONPatch",
  patch: Buffer.from(JSON.stringify(operations)).toString("base64"),
});
