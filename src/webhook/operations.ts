import express, { type Express, type Response } from "express";
import { DECISIONS_PATH, type ToldDecisions } from "../contract/decisions.ts";
import type { Metrics } from "../telemetry/metrics.ts";

export interface OperationsAppOptions {
  /** What is missing for reviews to be answered well; empty when ready. */
  missing(): readonly string[];
  /** Brings metrics up to date that are only read at a scrape. */
  beforeScrape(): void;
  readonly metrics: Metrics;
  /** What namespaces in audit mode would have got of late: names and reasons, for whoever may read the metrics. */
  decisions(): ToldDecisions;
}

/**
 * Health, metrics and decisions of late, for a plain HTTP port of their own: the kubelet and Prometheus need no certificate of ours.
 * `/healthz` says only that the process turns: a restart would not bring back a certificate or a cache.
 */
export function createOperationsApp(options: OperationsAppOptions): Express {
  const { missing, beforeScrape, metrics, decisions } = options;
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.get("/healthz", (_, response) => sendJson(response, 200, { status: "ok" }));
  app.get("/readyz", (_, response) => {
    const absent = missing();
    if (absent.length === 0) sendJson(response, 200, { status: "ok" });
    else sendJson(response, 503, { status: "not ready", missing: absent });
  });
  app.get("/metrics", async (_, response) => {
    beforeScrape();
    const text = await metrics.registry.metrics();
    response.setHeader("Content-Type", metrics.registry.contentType);
    response.end(text);
  });
  app.get(DECISIONS_PATH, (_, response) => sendJson(response, 200, decisions()));
  app.use((_, response) =>
    sendJson(response, 404, { error: `known are GET /healthz, /readyz, /metrics and ${DECISIONS_PATH}` }),
  );
  return app;
}

function sendJson(response: Response, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(body));
}
