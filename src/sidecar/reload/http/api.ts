import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import {
  RELOAD_COMPONENTS,
  RELOAD_OPENAPI_PATH,
  RELOAD_STATUS_PATH,
  RELOAD_TIMEOUT,
  type ReloadComponent,
  reloadPath,
} from "../../../contract/reload.ts";
import { RELOAD_REQUEST, type ReloadRequest } from "../../../contract/reload-schemas.ts";
import type { Verdict } from "../auth/verdict.ts";
import type { Component } from "../component.ts";
import {
  type HttpAnswer,
  jsonAnswer,
  plainProblem,
  problemAnswer,
  reloadAnswer,
  statusOf,
} from "./answers.ts";
import { jsonBody } from "./body.ts";
import { openapi } from "./openapi.ts";
import { faultIn } from "./validate.ts";

export interface ApiOptions {
  readonly components: readonly Component[];
  /** Whether a caller may call. Never rejects. */
  admit(request: IncomingMessage): Promise<Verdict>;
  /** Told of each answer to a reload; undefined where the caller was gone. Milliseconds. */
  onAnswer(component: ReloadComponent, caller: string, answer: HttpAnswer | undefined, tookMs: number): void;
  onFault(error: unknown): void;
}

/** The API as a listener of requests; it does not listen itself. */
export function reloadApi(options: ApiOptions): RequestListener {
  return (request, response) => {
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    answerTo(request, options, gone.signal).then(
      (answer) => answer !== undefined && write(response, request, answer),
      (error) => {
        if (!gone.signal.aborted) options.onFault(error);
        response.destroy();
      },
    );
  };
}

async function answerTo(
  request: IncomingMessage,
  options: ApiOptions,
  gone: AbortSignal,
): Promise<HttpAnswer | undefined> {
  // Before anything else: who may not call learns nothing, not even what there is.
  const verdict = await options.admit(request);
  if (verdict.kind === "refused") return problemAnswer(verdict.problem, verdict.why);
  const [path = ""] = (request.url ?? "").split("?");
  const name = RELOAD_COMPONENTS.find((candidate) => reloadPath(candidate) === path);
  if (name !== undefined) {
    if (verdict.onlyLooks) return problemAnswer("forbidden", `${verdict.caller} may only ask for the status`);
    if (request.method !== "POST") return plainProblem(405, "only POST reloads", { allow: "POST" });
    return reload(name, verdict.caller, request, options, gone);
  }
  const document =
    path === RELOAD_STATUS_PATH ? statusDocument : path === RELOAD_OPENAPI_PATH ? openapi : undefined;
  if (document === undefined) return plainProblem(404, "there is nothing of this name");
  if (request.method !== "GET" && request.method !== "HEAD")
    return plainProblem(405, "this can only be read", { allow: "GET, HEAD" });
  return jsonAnswer(await document(options.components));
}

async function reload(
  name: ReloadComponent,
  caller: string,
  request: IncomingMessage,
  { components, onAnswer }: ApiOptions,
  gone: AbortSignal,
): Promise<HttpAnswer | undefined> {
  const component = components.find((candidate) => candidate.name === name);
  if (component === undefined) return plainProblem(404, `this pod's annotations do not ask for ${name}`);
  const body = await jsonBody(request);
  if ("refused" in body) return body.refused;
  const fault = faultIn(body.json, RELOAD_REQUEST);
  if (fault !== undefined) return problemAnswer("invalid-request", fault);
  const { version, timeoutSeconds = RELOAD_TIMEOUT.default } = body.json as ReloadRequest;
  const began = performance.now();
  const given = await component.ask(version, timeoutSeconds * 1000, gone);
  const tookMs = performance.now() - began;
  const answer = given && reloadAnswer(given, name, version, component.status, tookMs);
  onAnswer(name, caller, answer, tookMs);
  return answer;
}

async function statusDocument(components: readonly Component[]): Promise<object> {
  await Promise.all(components.map((component) => component.look()));
  return Object.fromEntries(components.map(({ name, status }) => [name, statusOf(status)]));
}

function write(
  response: ServerResponse,
  request: IncomingMessage,
  { status, headers, body }: HttpAnswer,
): void {
  const text = `${JSON.stringify(body)}\n`;
  // A body that nobody read would be taken for the next request of the connection.
  const isUnread = !request.complete;
  response.writeHead(status, {
    ...headers,
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    ...(isUnread ? { connection: "close" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : text);
}
