import { createServer, type Server } from "node:http";
import { primarySliceName } from "../contract/slice-annotations.ts";
import { Discovery } from "./discovery.ts";
import { Journal } from "./journal.ts";
import { KubeApi } from "./kube-api.ts";
import { Log } from "./log.ts";
import { SidecarMetrics } from "./metrics.ts";
import { PatroniClient } from "./patroni.ts";
import { readSettings, type SidecarConfig } from "./settings.ts";
import { SliceClient } from "./slice-client.ts";
import { watchObject } from "./watch.ts";

const USAGE = `Usage: patroni-injector sidecar

Runs beside Patroni in an injected pod. Told what to do by its environment.
`;

/** Exit codes: 0 ended as asked, 1 cannot run, 2 usage. */
export async function run(
  argv: readonly string[],
  io: Pick<NodeJS.Process, "stdout" | "stderr">,
): Promise<number> {
  if (argv.length > 0) {
    const asksForHelp = argv[0] === "--help" || argv[0] === "-h";
    (asksForHelp ? io.stdout : io.stderr).write(USAGE);
    return asksForHelp ? 0 : 2;
  }
  let config: SidecarConfig;
  try {
    config = readSettings(process.env);
  } catch (error) {
    io.stderr.write(`patroni-injector sidecar: ${(error as Error).message}\n`);
    return 1;
  }
  const stopped = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stopped.abort());
  await sidecar(config, process.env, stopped.signal);
  return 0;
}

/** Serves health and metrics, and keeps the slice, until it is stopped. */
async function sidecar(
  config: SidecarConfig,
  environment: NodeJS.ProcessEnv,
  stopped: AbortSignal,
): Promise<void> {
  const log = new Log(config.logLevel);
  const metrics = new SidecarMetrics();
  const server = serve(config.port, metrics, log);
  const { pod, primaryService, cluster } = config;
  log.info("sidecar started", {
    pod: pod.name,
    namespace: pod.namespace,
    cluster,
    primaryService,
    port: config.port,
  });
  if (config.discovery) await discover(config, environment, log, metrics, stopped);
  else await new Promise((resolve) => stopped.addEventListener("abort", resolve, { once: true }));
  log.info("sidecar stops");
  server.close();
  server.closeAllConnections();
}

async function discover(
  config: SidecarConfig,
  environment: NodeJS.ProcessEnv,
  log: Log,
  metrics: SidecarMetrics,
  stopped: AbortSignal,
): Promise<void> {
  const { namespace } = config.pod;
  const api = new KubeApi(environment, config.tokenDir, (code) =>
    metrics.add("api_answers_total", 1, `code="${code}"`),
  );
  const slices = new SliceClient(api, namespace, primarySliceName(config.primaryService));
  const journal = new Journal(log, `${namespace}/${slices.name}`);
  const discovery = new Discovery({ config, patroni: new PatroniClient(config), slices, journal, metrics });
  const ended = new AbortController();
  const watches = [
    watchObject(
      api,
      slices.collection,
      slices.name,
      {
        seen: (slice) => discovery.sliceSeen(slice),
        broken: (problem) => log.debug("the watch of the slice was interrupted", { problem }),
      },
      ended.signal,
    ),
  ];
  if (config.leaderObject !== undefined) {
    const { resource, name } = config.leaderObject;
    const handlers = {
      seen: (object: Parameters<Discovery["leaderSeen"]>[0]) => discovery.leaderSeen(object),
      broken(problem: string) {
        discovery.leaderLost();
        log.debug("the watch of the leader object was interrupted", { problem });
      },
    };
    watches.push(
      watchObject(api, `/api/v1/namespaces/${namespace}/${resource}`, name, handlers, ended.signal),
    );
  }
  await discovery.run(stopped);
  ended.abort();
  await Promise.all(watches);
  api.close();
}

/** `/healthz` says that the process turns, `/metrics` what it sees. */
function serve(port: number, metrics: SidecarMetrics, log: Log): Server {
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    const isMetrics = request.url === "/metrics";
    const isHealth = request.url === "/healthz";
    response.writeHead(isMetrics || isHealth ? 200 : 404, { "content-type": "text/plain; charset=utf-8" });
    response.end(isMetrics ? metrics.text() : isHealth ? "ok\n" : "not found\n");
  });
  // Without its port the sidecar still publishes; the kubelet restarts it for the missing liveness.
  server.on("error", (error) => log.error(`cannot listen on port ${port}: ${error.message}`));
  server.listen(port);
  return server;
}
