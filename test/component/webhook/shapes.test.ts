import assert from "node:assert/strict";
import { once } from "node:events";
import type { Server } from "node:https";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { createWebhookApp } from "../../../src/webhook/app.ts";
import { createWebhookServer } from "../../../src/webhook/server.ts";
import { exchange } from "../../fuzz/exchange.ts";
import { SHAPES } from "../../fuzz/shapes.ts";
import { loopbackCertificate } from "./certificate.ts";
import { contextOf, reviewOf } from "./reviews.ts";

/** An answer comes within a millisecond, and a server that closes does so at once; but a busy machine takes its time. */
const WAIT_MS = 20_000;

describe("shapes of requests that could be understood differently", { concurrency: true }, () => {
  let server: Server;
  let port: number;
  before(async () => {
    const logger = createLogger({ level: "silent" });
    const metrics = createMetrics();
    const context = contextOf();
    const app = createWebhookApp({ context: () => context, draining: () => false, logger, metrics });
    server = createWebhookServer(app, await loopbackCertificate(), { logger, metrics });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  });
  after(() => void server.close().closeAllConnections());

  for (const { name, bytes, ends } of SHAPES) {
    it(`${ends}: ${name}`, async () => {
      const { statuses, reviews, closed } = await exchange(
        port,
        bytes(JSON.stringify(reviewOf("u"))),
        WAIT_MS,
        (reply) => ends === "answered" && reply.reviews > 0,
      );
      if (ends === "refused") {
        assert.equal(reviews, 0, `answered ${statuses}`);
        assert.ok(closed, `the connection stays open, after ${statuses}`);
      } else {
        assert.deepEqual([statuses.at(-1), reviews], [200, 1]);
      }
    });
  }
});
