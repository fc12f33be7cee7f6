import type { RestTarget } from "../patroni/rest.ts";
import { KubeApi } from "./kube-api.ts";
import { Log } from "./log.ts";
import { SidecarMetrics } from "./metrics.ts";
import { serve } from "./server.ts";
import type { CommonConfig } from "./settings.ts";
import { primarySlice } from "./slice-client.ts";

/** What every sidecar has. */
export interface Equipment {
  readonly log: Log;
  readonly metrics: SidecarMetrics;
  readonly api: KubeApi;
}

/** What a role has to do beside what every sidecar does. */
export interface Work {
  /** For how long its loop has not come round. Milliseconds. */
  stillForMs(): number;
  run(stopped: AbortSignal): Promise<void>;
}

/**
 * Serves health and metrics, reloads and lets PgBouncer reconnect as far as that is asked for, and works, until it is stopped.
 *
 * @param patroni where Patroni is asked; undefined in a pod without it
 * @param begin undefined: there is nothing else to do
 */
export async function runSidecar(
  config: CommonConfig,
  environment: NodeJS.ProcessEnv,
  patroni: (() => RestTarget) | undefined,
  begin: ((equipment: Equipment) => Work) | undefined,
  stopped: AbortSignal,
): Promise<void> {
  const log = new Log(config.logLevel);
  const metrics = new SidecarMetrics();
  const api = new KubeApi(environment, config.tokenDir, (code) =>
    metrics.add("api_answers_total", 1, { code: String(code) }),
  );
  const { pod, primaryService, cluster, port } = config;
  log.info("sidecar started", { pod: pod.name, namespace: pod.namespace, cluster, primaryService, port });
  const equipment = { log, metrics, api };
  const stopReload = await reloadIfAsked(config, environment, equipment, patroni);
  const stopReconnect = await reconnectIfAsked(config, environment, equipment);
  const work = begin?.(equipment);
  const server = serve(port, metrics, log, () => work?.stillForMs() ?? 0);
  if (work !== undefined) await work.run(stopped);
  else await new Promise((resolve) => stopped.addEventListener("abort", resolve, { once: true }));
  log.info("sidecar stops");
  stopReload();
  stopReconnect();
  server.close();
  server.closeAllConnections();
  api.close();
}

/**
 * Serves the reload API where an annotation asks for it; nothing of it is loaded otherwise.
 *
 * @returns ends it
 */
async function reloadIfAsked(
  config: CommonConfig,
  environment: NodeJS.ProcessEnv,
  equipment: Equipment,
  patroni: (() => RestTarget) | undefined,
): Promise<() => void> {
  if (!config.reload) return () => undefined;
  const { startReload } = await import("./reload/start.ts");
  return orNothing("the reload API cannot be served", equipment.log, () =>
    startReload(environment, { ...equipment, ...(patroni && { patroni }) }),
  );
}

/** @returns ends it */
async function reconnectIfAsked(
  { pod, primaryService, reconnect }: CommonConfig,
  environment: NodeJS.ProcessEnv,
  equipment: Equipment,
): Promise<() => void> {
  if (!reconnect) return () => undefined;
  const { startReconnect } = await import("./reload/reconnect.ts");
  return orNothing("PgBouncer cannot be told to reconnect", equipment.log, () =>
    startReconnect(environment, { ...equipment, slice: primarySlice(pod.namespace, primaryService) }),
  );
}

/** Whatever becomes of it, the primary is published. */
function orNothing(complaint: string, log: Log, start: () => () => void): () => void {
  try {
    return start();
  } catch (error) {
    log.error(`${complaint}: ${(error as Error).message}`);
    return () => undefined;
  }
}
