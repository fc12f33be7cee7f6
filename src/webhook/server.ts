import type { RequestListener } from "node:http";
import { createServer, type Server } from "node:https";
import type { ServingCertificate } from "../certificates/source.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { Connections } from "./connections.ts";
import { rarely } from "./rarely.ts";
import { secureContext } from "./tls.ts";

/** An API server keeps an idle connection for 90 s: ours must last longer, or it writes into one that just closed. */
const KEEP_ALIVE_MS = 95_000;

/**
 * Node counts the time for a request's headers, and for the whole of it, from the connection's start as well: a
 * connection that an API server opened ahead of need would be answered 408 in the moment that it is first used.
 */
const REQUEST_MS = 100_000;

/** A client that has not finished its TLS handshake by then never will. */
const HANDSHAKE_MS = 10_000;

const LOG_AT_MOST_EVERY_MS = 1000;

export interface WebhookServerOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Whose client certificates are accepted; without it a client needs none. PEM. */
  readonly clientCaPem?: string | undefined;
}

/**
 * HTTPS in front of an app; listens nowhere yet. It speaks HTTP/1.1 only, as API servers do with the Services of webhooks: each call
 * has a connection to itself, so the calls of one API server spread over all replicas, and none waits behind another's bytes.
 *
 * @param certificate undefined: there is none yet, and every handshake fails
 */
export function createWebhookServer(
  app: RequestListener,
  certificate: ServingCertificate | undefined,
  { logger, metrics, clientCaPem }: WebhookServerOptions,
): Server {
  const server = createServer({
    ...secureContext(certificate, clientCaPem),
    requestCert: clientCaPem !== undefined,
    rejectUnauthorized: clientCaPem !== undefined,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: REQUEST_MS,
    requestTimeout: REQUEST_MS,
    handshakeTimeout: HANDSHAKE_MS,
  });
  const sayClosed = rarely<string>(LOG_AT_MOST_EVERY_MS, (why, others) =>
    logger.info({ why, others }, "connection closed"),
  );
  const sayFailed = rarely<Error>(LOG_AT_MOST_EVERY_MS, ({ message }, others) =>
    logger.debug({ error: message, others }, "TLS handshake failed"),
  );
  const connections = new Connections(server, {
    onClose(why) {
      metrics.webhookConnectionsClosed.inc({ why });
      sayClosed(why);
    },
    onCount: (count) => metrics.webhookConnections.set(count),
  });
  server.on("request", connections.guard(app));
  server.on("tlsClientError", (error) => {
    metrics.webhookConnectionsClosed.inc({ why: "handshake" });
    sayFailed(error);
  });
  return server;
}

/** From now on new connections get this certificate, and are held to these authorities; open ones go on with theirs. */
export function useCertificate(server: Server, certificate: ServingCertificate, clientCaPem?: string): void {
  server.setSecureContext(secureContext(certificate, clientCaPem));
}
