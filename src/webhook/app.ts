import express, { type ErrorRequestHandler, type Express, type Request, type Response } from "express";
import { AUDIT_PATH, MUTATE_PATH } from "../contract/names.ts";
import { answerReview, type ReviewContext, type ReviewMode } from "../injection/review.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { readBody } from "./body.ts";
import { parseJson } from "./json.ts";
import { recordReview } from "./record.ts";

export interface WebhookAppOptions {
  /** What a review is decided with; asked anew for each request. */
  context(): Omit<ReviewContext, "mode">;
  /** True from SIGTERM on: every answer then asks its client to connect anew, which leads it elsewhere. */
  draining(): boolean;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The largest review that is read. An API server sends the pod twice at most, and etcd holds 1.5 MiB of it. */
export const BODY_LIMIT = 7 * 1024 * 1024;

const MODES: Readonly<Record<string, ReviewMode>> = { [MUTATE_PATH]: "enabled", [AUDIT_PATH]: "audit" };

/** The webhook as an Express app that listens nowhere. The path says the mode. */
export function createWebhookApp(options: WebhookAppOptions): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.disable("query parser");
  for (const [path, mode] of Object.entries(MODES)) {
    app.post(path, (request, response) => review(request, response, mode, options));
    app.all(path, (_, response) => {
      response.setHeader("Allow", "POST");
      refuse(response, 405, `only POST is answered at ${path}`, options);
    });
  }
  app.use((_, response) =>
    refuse(response, 404, `reviews are answered at ${MUTATE_PATH} and ${AUDIT_PATH}`, options),
  );
  app.use(failureHandler(options));
  return app;
}

async function review(
  request: Request,
  response: Response,
  mode: ReviewMode,
  options: WebhookAppOptions,
): Promise<void> {
  const { metrics } = options;
  const started = performance.now();
  metrics.admissionInFlight.inc();
  try {
    await answer(request, response, mode, options);
  } finally {
    metrics.admissionInFlight.dec();
    metrics.admissionDuration.observe((performance.now() - started) / 1000);
  }
}

async function answer(
  request: Request,
  response: Response,
  mode: ReviewMode,
  options: WebhookAppOptions,
): Promise<void> {
  if (!isJson(request.headers["content-type"])) {
    return refuse(response, 415, "the content type must be application/json", options);
  }
  const body = await readBody(request, BODY_LIMIT);
  if (body.kind === "aborted") return;
  if (body.kind === "too-large") {
    return refuse(response, 413, `the body must be at most ${BODY_LIMIT} bytes`, options);
  }
  const parsed = parseJson(body.text);
  if ("problem" in parsed) {
    return refuse(response, 400, `the body is not valid JSON: ${parsed.problem}`, options);
  }
  const answered = answerReview(parsed.value, { ...options.context(), mode });
  if (answered.status === 400) return refuse(response, 400, answered.message, options);
  recordReview(answered.record, options);
  send(response, 200, JSON.stringify(answered.review), options);
}

function isJson(contentType: string | undefined): boolean {
  const type = contentType?.split(";", 1)[0]?.trim().toLowerCase();
  return type === "application/json";
}

/** No review was answered: the caller made a mistake, and is told which. */
function refuse(response: Response, status: number, message: string, options: WebhookAppOptions): void {
  options.metrics.admissionRefused.inc({ status: String(status) });
  options.logger.info({ method: response.req.method, path: response.req.path, status, message }, "refused");
  send(response, status, JSON.stringify({ error: message }), options);
}

function send(response: Response, status: number, body: string, { draining }: WebhookAppOptions): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "application/json");
  response.setHeader("Content-Length", Buffer.byteLength(body));
  if (draining()) response.setHeader("Connection", "close");
  response.end(body);
}

/** Express calls this for a path that cannot be decoded, and for a bug of ours: neither tells the client how we are made. */
function failureHandler(options: WebhookAppOptions): ErrorRequestHandler {
  return (error: { status?: unknown }, _request, response, _next) => {
    if (response.headersSent) return void response.destroy();
    if (error.status === 400) return refuse(response, 400, "the request's path is malformed", options);
    options.logger.error({ err: error }, "failed to answer");
    options.metrics.admissionRefused.inc({ status: "500" });
    send(response, 500, JSON.stringify({ error: "internal error" }), options);
  };
}
