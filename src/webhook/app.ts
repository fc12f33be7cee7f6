import express, { type ErrorRequestHandler, type Express, type Request, type Response } from "express";
import { AUDIT_PATH, MUTATE_PATH } from "../contract/names.ts";
import { answerReview, type ReviewContext, type ReviewMode } from "../injection/review.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { readBody } from "./body.ts";
import { parseJson } from "./json.ts";
import { rarely } from "./rarely.ts";
import type { RecentDecisions } from "./recent.ts";
import { recordReview } from "./record.ts";
import { Room } from "./room.ts";
import { Turns } from "./turns.ts";

export interface WebhookAppOptions {
  /** What a review is decided with; asked anew for each request. */
  context(): Omit<ReviewContext, "mode">;
  /** True from SIGTERM on: every answer then asks its client to connect anew, which leads it elsewhere. */
  draining(): boolean;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Is given every review that was answered. */
  readonly recent?: RecentDecisions;
  /** Where reviews wait to be decided. Default: a queue of this app's own. */
  readonly turns?: Turns;
}

/** What every request is handled with. */
interface App extends WebhookAppOptions {
  readonly turns: Turns;
  readonly room: Room;
  /** Says that there are too many requests. */
  readonly overloaded: (message: string) => void;
}

/** The largest review that is read. An API server sends the pod twice at most, and etcd holds 1.5 MiB of it. */
export const BODY_LIMIT = 7 * 1024 * 1024;

/** Seconds. Without a Retry-After header an API server does not try again (client-go, rest/with_retry.go). */
const RETRY_AFTER = 1;

const OVERLOAD_LOG_EVERY_MS = 10_000;

const MODES: Readonly<Record<string, ReviewMode>> = { [MUTATE_PATH]: "enabled", [AUDIT_PATH]: "audit" };

/** The webhook as an Express app that listens nowhere. The path says the mode. */
export function createWebhookApp(given: WebhookAppOptions): Express {
  const options = {
    turns: new Turns(),
    ...given,
    room: new Room(),
    overloaded: sayingOverload(given.logger),
  };
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

async function review(request: Request, response: Response, mode: ReviewMode, options: App): Promise<void> {
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

async function answer(request: Request, response: Response, mode: ReviewMode, options: App): Promise<void> {
  if (!isJson(request.headers["content-type"])) {
    return refuse(response, 415, "the content type must be application/json", options);
  }
  const { room, turns } = options;
  if (turns.full) return refuse(response, 429, "too many reviews wait already", options);
  const body = await readBody(request, BODY_LIMIT, room);
  if (body.kind === "aborted") return;
  if (body.kind === "too-large") {
    return refuse(response, 413, `the body must be at most ${BODY_LIMIT} bytes`, options);
  }
  if (body.kind === "no-room") return refuse(response, 429, "too many bytes wait already", options);
  try {
    const wasDone = await turns.run(() => decide(body.text(), response, mode, options));
    if (!wasDone) refuse(response, 429, "too many reviews wait already", options);
  } finally {
    body.leave();
  }
}

/** Not asynchronous: all of it is one job in the queue. */
function decide(text: string, response: Response, mode: ReviewMode, options: App): void {
  if (response.destroyed) return; // the client went away while it waited: it cannot use an answer
  const parsed = parseJson(text);
  const answered =
    "problem" in parsed
      ? { status: 400 as const, message: `the body is not valid JSON: ${parsed.problem}` }
      : answerReview(parsed.value, { ...options.context(), mode });
  if (answered.status === 400) {
    refuse(response, 400, answered.message, options);
  } else {
    recordReview(answered.record, options);
    options.recent?.keep(answered.record);
    send(response, 200, JSON.stringify(answered.review), options);
  }
}

function isJson(contentType: string | undefined): boolean {
  const type = contentType?.split(";", 1)[0]?.trim().toLowerCase();
  return type === "application/json";
}

/** No review was answered: the caller made a mistake and is told which, or is asked to come again. */
function refuse(response: Response, status: number, message: string, options: App): void {
  options.metrics.admissionRefused.inc({ status: String(status) });
  if (status === 429) {
    options.overloaded(message);
    response.setHeader("Retry-After", RETRY_AFTER);
  } else {
    options.logger.info({ method: response.req.method, path: response.req.path, status, message }, "refused");
  }
  send(response, status, JSON.stringify({ error: message }), options);
}

function send(response: Response, status: number, body: string, { draining }: App): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "application/json");
  response.setHeader("Content-Length", Buffer.byteLength(body));
  if (draining()) response.setHeader("Connection", "close");
  response.end(body);
}

/** Express calls this for a path that cannot be decoded, and for a bug of ours: neither tells the client how we are made. */
function failureHandler(options: App): ErrorRequestHandler {
  return (error: { status?: unknown }, _request, response, _next) => {
    if (response.headersSent) return void response.destroy();
    if (error.status === 400) return refuse(response, 400, "the request's path is malformed", options);
    options.logger.error({ err: error }, "failed to answer");
    options.metrics.admissionRefused.inc({ status: "500" });
    send(response, 500, JSON.stringify({ error: "internal error" }), options);
  };
}

const sayingOverload = (logger: Logger): ((message: string) => void) =>
  rarely(OVERLOAD_LOG_EVERY_MS, (message, others) =>
    logger.warn({ message, others }, "overloaded: reviews are put off"),
  );
