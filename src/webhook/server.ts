import type { RequestListener } from "node:http";
import { createServer, type Server } from "node:https";
import type { ServingCertificate } from "../certificates/source.ts";
import type { Logger } from "../telemetry/logger.ts";

/** An API server keeps an idle connection for 90 s: ours must last longer, or it writes into one that just closed. */
const KEEP_ALIVE_MS = 95_000;

/**
 * Node counts the time for a request's headers, and for the whole of it, from the connection's start as well: a
 * connection that an API server opened ahead of need would be answered 408 in the moment that it is first used.
 */
const REQUEST_MS = 100_000;

const LOG_AT_MOST_EVERY_MS = 1000;

/** HTTPS in front of an app; listens nowhere yet. */
export function createWebhookServer(
  app: RequestListener,
  certificate: ServingCertificate,
  logger: Logger,
): Server {
  const server = createServer(
    {
      ...secureContext(certificate),
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
    },
    app,
  );
  server.on("tlsClientError", rarely(logger));
  return server;
}

/** From now on new connections get this certificate; open ones go on with theirs. */
export function useCertificate(server: Server, certificate: ServingCertificate): void {
  server.setSecureContext(secureContext(certificate));
}

const secureContext = ({ certPem, keyPem }: ServingCertificate) =>
  ({ cert: certPem, key: keyPem, minVersion: "TLSv1.2" }) as const;

/** A client that does not trust us, or that is no TLS client at all, may come back many times a second. */
function rarely(logger: Logger): (error: Error) => void {
  let last = Number.NEGATIVE_INFINITY;
  let kept = 0;
  return (error) => {
    const now = performance.now();
    if (now - last < LOG_AT_MOST_EVERY_MS) {
      kept++;
      return;
    }
    logger.debug({ error: error.message, others: kept }, "TLS handshake failed");
    last = now;
    kept = 0;
  };
}
