import { Discovery } from "./discovery.ts";
import { Journal } from "./journal.ts";
import { KubeApi } from "./kube-api.ts";
import { Log } from "./log.ts";
import { SidecarMetrics } from "./metrics.ts";
import { PatroniClient } from "./patroni.ts";
import { serve } from "./server.ts";
import { readSettings, type SidecarConfig } from "./settings.ts";
import { primarySlice, SliceClient } from "./slice-client.ts";
import { withoutArguments } from "./usage.ts";
import { watchObject } from "./watch.ts";

const USAGE = `Usage: patroni-injector sidecar

Runs beside Patroni in an injected pod. Told what to do by its environment.
`;

/** Exit codes: 0 ended as asked, 1 cannot run, 2 usage. */
export async function run(
  argv: readonly string[],
  io: Pick<NodeJS.Process, "stdout" | "stderr">,
): Promise<number> {
  const answered = withoutArguments(argv, USAGE, io);
  if (answered !== undefined) return answered;
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
  const { pod, primaryService, cluster, port } = config;
  log.info("sidecar started", { pod: pod.name, namespace: pod.namespace, cluster, primaryService, port });
  const stopReload = await reloadIfAsked(config, environment, log, metrics);
  const keeper = config.discovery ? keep(config, environment, log, metrics) : undefined;
  const server = serve(port, metrics, log, () => keeper?.discovery.stillForMs ?? 0);
  if (keeper !== undefined) await keeper.run(stopped);
  else await new Promise((resolve) => stopped.addEventListener("abort", resolve, { once: true }));
  log.info("sidecar stops");
  stopReload();
  server.close();
  server.closeAllConnections();
}

/**
 * Serves the reload API where an annotation asks for it; nothing of it is loaded otherwise.
 *
 * @returns ends it
 */
async function reloadIfAsked(
  config: SidecarConfig,
  environment: NodeJS.ProcessEnv,
  log: Log,
  metrics: SidecarMetrics,
): Promise<() => void> {
  if (!config.reload) return () => undefined;
  const { startReload } = await import("./reload/start.ts");
  const api = new KubeApi(environment, config.tokenDir);
  const client = new PatroniClient(config);
  try {
    const stop = startReload(environment, {
      log,
      metrics,
      api,
      patroni: () => client.target(),
      slice: primarySlice(config.pod.namespace, config.primaryService),
    });
    return () => {
      stop();
      api.close();
    };
  } catch (error) {
    // Whatever becomes of it, the primary is published.
    log.error(`the reload API cannot be served: ${(error as Error).message}`);
    return () => undefined;
  }
}

/** The discovery loop with the watches that hurry it. */
function keep(config: SidecarConfig, environment: NodeJS.ProcessEnv, log: Log, metrics: SidecarMetrics) {
  const { pod, primaryService, leaderObject, tokenDir } = config;
  const { namespace } = pod;
  const api = new KubeApi(environment, tokenDir, (code) =>
    metrics.add("api_answers_total", 1, { code: String(code) }),
  );
  const slice = primarySlice(namespace, primaryService);
  const discovery = new Discovery({
    config,
    patroni: new PatroniClient(config),
    slices: new SliceClient(api, slice),
    journal: new Journal(log, `${namespace}/${slice.name}`),
    metrics,
  });
  const watches = [
    {
      object: slice,
      seen: discovery.sliceSeen.bind(discovery),
      broken: discovery.sliceLost.bind(discovery),
    },
    ...(leaderObject === undefined
      ? []
      : [
          {
            object: { prefix: "/api/v1", namespace, ...leaderObject },
            seen: discovery.leaderSeen.bind(discovery),
            broken: discovery.leaderLost.bind(discovery),
          },
        ]),
  ];
  return {
    discovery,
    async run(stopped: AbortSignal): Promise<void> {
      const ended = new AbortController();
      const following = watches.map(({ object, ...handlers }) =>
        watchObject(api, object, handlers, ended.signal),
      );
      await discovery.run(stopped);
      ended.abort();
      await Promise.all(following);
      api.close();
    },
  };
}
