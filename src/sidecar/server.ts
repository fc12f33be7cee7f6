import { createServer, type Server } from "node:http";
import type { Log } from "./log.ts";
import type { SidecarMetrics } from "./metrics.ts";

/** The loop takes a few seconds at worst; one that has not come round for this long will not. Milliseconds. */
const STUCK_MS = 60_000;

/**
 * `/healthz` says that the process turns (whether Patroni or the API server can be reached does not count: a restart would not help),
 * `/metrics` what it sees.
 *
 * @param stillForMs for how long the loop has not come round
 */
export function serve(port: number, metrics: SidecarMetrics, log: Log, stillForMs: () => number): Server {
  const server = createServer({ requestTimeout: 10_000 }, ({ url }, response) => {
    const [code, text] = answer(url, metrics, stillForMs());
    response.writeHead(code, { "content-type": "text/plain; charset=utf-8" });
    response.end(text);
  });
  // Without its port the sidecar still publishes; the kubelet restarts it for the missing liveness.
  server.on("error", (error) => log.error(`cannot listen on port ${port}: ${error.message}`));
  server.listen(port);
  return server;
}

function answer(
  url: string | undefined,
  metrics: SidecarMetrics,
  stillForMs: number,
): readonly [number, string] {
  if (url === "/metrics") return [200, metrics.text()];
  if (url !== "/healthz") return [404, "not found\n"];
  return stillForMs < STUCK_MS
    ? [200, "ok\n"]
    : [503, `the loop has stood still for ${Math.round(stillForMs / 1000)} s\n`];
}
