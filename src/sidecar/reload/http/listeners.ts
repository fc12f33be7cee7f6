import { rmSync } from "node:fs";
import {
  createServer as createPlain,
  type RequestListener,
  type Server,
  type ServerOptions,
} from "node:http";
import { createServer as createSecure, type Server as SecureServer } from "node:https";
import type { Log } from "../../log.ts";
import { followCertificate } from "./certificate.ts";

/** A request is small, and comes at once; its answer may take minutes. Milliseconds, but for the size. */
const LIMITS: ServerOptions = {
  requestTimeout: 10_000,
  headersTimeout: 5000,
  connectionsCheckingInterval: 5000,
  maxHeaderSize: 16 * 1024,
};

/** Who connects and says nothing holds a place for no longer than this. Milliseconds. */
const HANDSHAKE_MS = 5000;

/** One takes some 80 KiB with TLS, of a sidecar's 64 MiB. */
const MOST_CONNECTIONS = 300;

export interface Listener {
  close(): void;
}

/**
 * Listens with TLS on all of the pod's addresses, loopback included, from the moment that there is a certificate; open connections
 * survive a change of it.
 */
export function listenSecurely(port: number, tlsDir: string, api: RequestListener, log: Log): Listener {
  let server: SecureServer | undefined;
  const stop = followCertificate(
    tlsDir,
    (pair) => {
      if (server !== undefined) {
        server.setSecureContext({ ...pair, minVersion: "TLSv1.2" });
        log.info("the reload API serves with another certificate");
        return;
      }
      server = createSecure(
        { ...LIMITS, ...pair, minVersion: "TLSv1.2", handshakeTimeout: HANDSHAKE_MS },
        api,
      );
      open(server, log, `port ${port}`).listen(port, () =>
        log.info("the reload API listens", { port: portOf(server) }),
      );
    },
    (problem) => log.warn(`the reload API's certificate cannot be used: ${problem}`),
  );
  return {
    close() {
      stop();
      end(server);
    },
  };
}

/** Listens without authentication on a Unix socket: whoever may open it may reload. */
export function listenOnSocket(path: string, api: RequestListener, log: Log): Listener {
  rmSync(path, { force: true }); // of a process that is gone
  const server = createPlain(LIMITS, api);
  const before = process.umask(0o177); // for its owner alone
  open(server, log, path).listen(path, () =>
    log.info("the reload API listens without authentication", { path }),
  );
  process.umask(before);
  return { close: () => end(server) };
}

function open<Some extends Server | SecureServer>(server: Some, log: Log, where: string): Some {
  server.maxConnections = MOST_CONNECTIONS;
  server.on("error", (error) => log.error(`the reload API cannot listen on ${where}: ${error.message}`));
  return server;
}

function end(server: Server | SecureServer | undefined): void {
  server?.close();
  server?.closeAllConnections();
}

function portOf(server: SecureServer | undefined): number | undefined {
  const address = server?.address();
  return typeof address === "object" && address !== null ? address.port : undefined;
}
