import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";

/** What a yardstick is told over its IPC channel, and what it answers. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}
export interface Listening {
  readonly port: number;
}

/** Serves HTTPS on a free port of the loopback until the process that started this one is gone. */
export function serveHere(listener: RequestListener): void {
  process.once("disconnect", () => process.exit());
  process.once("message", (certificate: Certificate) => {
    const server = createServer({ cert: certificate.cert, key: certificate.key }, listener);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      process.send?.({ port } satisfies Listening);
    });
  });
}
