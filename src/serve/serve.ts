import { createServer } from "node:http";
import { watchedNamespacesOf } from "../config/injection-settings.ts";
import { ownDefaults, readConfigText } from "../config/load.ts";
import { parseConfig } from "../config/parse.ts";
import { watchConfig } from "../config/watch.ts";
import { VERSION } from "../contract/version.ts";
import type { Replica } from "../controller/start.ts";
import { createLogger } from "../telemetry/logger.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { observeProcess } from "../telemetry/process.ts";
import { createWebhookApp } from "../webhook/app.ts";
import { drain } from "../webhook/drain.ts";
import { createOperationsApp } from "../webhook/operations.ts";
import { RecentDecisions } from "../webhook/recent.ts";
import { createWebhookServer } from "../webhook/server.ts";
import { Certificates } from "./certificates.ts";
import { ClientAuthority } from "./client-authority.ts";
import { InForce } from "./in-force.ts";
import { keptIn } from "./kept.ts";
import { listen } from "./listen.ts";
import { watchLoad } from "./load.ts";
import { openCluster } from "./open-cluster.ts";
import { Opened } from "./opened.ts";
import { ownPlace } from "./own-place.ts";
import { processIdentity } from "./process-identity.ts";
import { Readiness } from "./readiness.ts";
import { reloading } from "./reload.ts";
import { reloadLook } from "./reload-look.ts";
import { aborted, type Shutdown } from "./shutdown.ts";

export interface ServeOptions {
  readonly configPath: string;
  readonly kubeconfig: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
  readonly shutdown: Shutdown;
}

/**
 * Serves admission until it is told to stop, and then until the last answer is out. Rejects where it cannot start;
 * whatever was opened by then is closed again.
 */
export async function serve(options: ServeOptions): Promise<void> {
  const opened = new Opened();
  try {
    await run(options, opened);
  } finally {
    await opened.close();
  }
}

async function run({ configPath, kubeconfig, environment, shutdown }: ServeOptions, opened: Opened) {
  const defaults = ownDefaults();
  const text = await readConfigText(configPath);
  const config = parseConfig(text, configPath, defaults);
  const { mode } = config.webhook.registration;
  const own = ownPlace(environment);
  const logger = createLogger({ level: config.logLevel });
  const metrics = createMetrics();
  const observer = observeProcess(metrics);
  opened.add(() => observer.stop());
  const load = watchLoad({ logger, metrics });
  opened.add(() => load.stop());

  const draining = () => shutdown.requested.aborted;
  const readiness = new Readiness();
  readiness.require("not draining", () => !draining());
  readiness.require("steady event loop", () => load.steady());
  for (const later of ["certificate", "caches", "registration"]) readiness.require(later);
  let replica: Replica | undefined;
  const beforeScrape = (): void => {
    observer.update();
    load.measure();
    replica?.measure();
  };
  const recent = new RecentDecisions();
  const decisions = () => recent.told();
  const operations = createServer(
    createOperationsApp({ missing: () => readiness.missing(), beforeScrape, metrics, decisions }),
  );
  opened.add(() => operations.close().closeAllConnections());
  const operationsAddress = await listen(operations, config.operations, "operations");

  const inCluster = environment.KUBERNETES_SERVICE_HOST !== undefined;
  const suspensionsIn = config.controller.enabled ? keptIn(config, own) : undefined;
  const namespaces = watchedNamespacesOf(config);
  const cluster = await openCluster({
    kubeconfig,
    inCluster,
    registration: mode,
    suspensionsIn,
    namespaces,
    logger,
  });
  opened.add(() => cluster.stop());
  readiness.require("caches", () => cluster.synced());
  const inForce = new InForce(config, own, cluster.surroundings);

  const clientAuthority = await ClientAuthority.read(config.webhook.clientCA, logger);
  const { turns } = load;
  const app = createWebhookApp({ context: () => inForce.context, draining, logger, metrics, turns, recent });
  const server = createWebhookServer(app, undefined, { logger, metrics, clientCaPem: clientAuthority.pem });
  opened.add(() => server.close().closeAllConnections());

  const certificates = new Certificates({
    config: () => inForce.config,
    ...{ own, cluster, server, clientAuthority, logger, metrics },
  });
  opened.add(() => certificates.stop());
  readiness.require("certificate", () => certificates.available);
  readiness.require("registration", () => certificates.trusted);
  await certificates.start();
  const webhookAddress = await listen(server, config.webhook, "webhook");
  const announce = (): void => certificates.announce(webhookAddress.port);
  announce();
  logger.info({ version: VERSION, webhook: webhookAddress, operations: operationsAddress }, "listening");
  if (config.controller.enabled) {
    replica = cluster.control({
      namespace: keptIn(config, own),
      identity: processIdentity(environment),
      settings: () => inForce.context.settings,
      openshift: () => inForce.context.surroundings.openshift,
      repair: config.controller.repair,
      choices: config.controller,
      namespaces: watchedNamespacesOf(config),
      reload: reloadLook(config, own, environment, () => cluster.now()),
      apiServerAddresses: () => inForce.context.surroundings.apiServerAddresses,
      metrics,
    });
    opened.add(() => replica?.stop());
  }
  const afterwards = (): void => {
    announce();
    replica?.reload();
  };
  const reload = reloading({ inForce, logger, metrics, afterwards });
  const watch = watchConfig(text, { path: configPath, defaults, ...reload });
  opened.add(() => watch.stop());

  await aborted(shutdown.requested);
  const { drainSeconds, webhook } = inForce.config;
  logger.info({ signal: shutdown.requested.reason, drainSeconds }, "draining");
  await Promise.all([
    // What our successor registers is none of our business any more, and another replica may lead at once.
    certificates.stop(),
    replica?.stop(),
    drain(server, {
      lingerMs: drainSeconds * 1000,
      answerMs: webhook.timeoutSeconds * 1000,
      atOnce: shutdown.atOnce,
    }),
  ]);
  logger.info("stopped");
}
